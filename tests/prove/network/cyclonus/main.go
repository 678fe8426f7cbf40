// Asks the NetworkPolicy matcher of cyclonus whether traffic passes. Reads one case a line of standard input,
// answers with a line of booleans, one for each connection of the case.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

type pod struct {
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
	IP              string            `json:"ip"`
}

type connection struct {
	Source      pod             `json:"source"`
	Destination pod             `json:"destination"`
	Port        int             `json:"port"`
	PortName    string          `json:"portName"`
	Protocol    corev1.Protocol `json:"protocol"`
}

type question struct {
	Policies    []*networkingv1.NetworkPolicy `json:"policies"`
	Connections []connection                  `json:"connections"`
}

func peer(p pod) *matcher.TrafficPeer {
	if p.Namespace == "" {
		return &matcher.TrafficPeer{IP: p.IP}
	}
	inside := &matcher.InternalPeer{Namespace: p.Namespace, NamespaceLabels: p.NamespaceLabels, PodLabels: p.Labels}
	return &matcher.TrafficPeer{Internal: inside, IP: p.IP}
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
		// Without simplifying: that leaves port ranges out.
		policies := matcher.BuildNetworkPolicies(false, asked.Policies)
		allowed := []bool{}
		for _, c := range asked.Connections {
			result := policies.IsTrafficAllowed(&matcher.Traffic{
				Source: peer(c.Source), Destination: peer(c.Destination),
				ResolvedPort: c.Port, ResolvedPortName: c.PortName, Protocol: c.Protocol,
			})
			allowed = append(allowed, result.IsAllowed())
		}
		if err := answers.Encode(allowed); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}
