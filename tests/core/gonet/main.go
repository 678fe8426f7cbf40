// Says how Go reads address ranges. Reads one case a line of standard input, answers with one a line.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net"
	"net/netip"
	"os"
	"strings"
)

type question struct {
	Range   string `json:"range"`
	Address string `json:"address"`
}

type answer struct {
	// As net.ParseCIDR reads it; empty where it fails.
	Range string `json:"range"`
	// Whether the strict validation of Kubernetes would let it through (apimachinery, util/validation/ip.go).
	Strict bool `json:"strict"`
	// As an entry of Traefik's lists: an address, or else a range.
	Source string `json:"source"`
	// Whether the address is in the range.
	Contains bool `json:"contains"`
}

func source(text string) *net.IPNet {
	if ip := net.ParseIP(text); ip != nil {
		if short := ip.To4(); short != nil {
			ip = short
		}
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
	}
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		return nil
	}
	return network
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		var given answer
		if _, network, err := net.ParseCIDR(asked.Range); err == nil {
			given.Range = network.String()
			given.Contains = network.Contains(net.ParseIP(asked.Address))
			prefix, err := netip.ParsePrefix(asked.Range)
			given.Strict = err == nil && !prefix.Addr().Is4In6() && prefix == prefix.Masked()
		}
		if network := source(asked.Range); network != nil {
			given.Source = strings.ToLower(network.String())
		}
		if err := answers.Encode(given); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
