// Command tenantry-policy-engine judges objects by Kyverno's ValidatingPolicies with Kyverno's own packages.
// It speaks the engine's protocol. It is a program of its own because Kyverno takes minutes to build.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"

	"tenantry.io/wire"
)

func main() {
	debug.SetGCPercent(400) // judging makes much garbage and holds little
	if err := seal(); err != nil {
		fmt.Fprintln(os.Stderr, "tenantry-policy-engine:", err)
		os.Exit(1)
	}
	if err := wire.Serve(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout, verbs(), "policies"); err != nil {
		fmt.Fprintln(os.Stderr, "tenantry-policy-engine:", err)
		os.Exit(1)
	}
}

func verbs() map[string]wire.Verb {
	policies := &policySet{}
	all := map[string]wire.Verb{
		"policies": policies.load,
		"judge":    policies.judge,
	}
	all["hello"] = wire.Hello(map[string]string{"kyverno": "github.com/kyverno/kyverno"}, all)
	return all
}
