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
	policies := &policySet{}
	verbs := map[string]wire.Verb{
		"hello":    wire.Hello(map[string]string{"kyverno": "github.com/kyverno/kyverno"}),
		"policies": policies.load,
		"judge":    policies.judge,
	}
	if err := wire.Serve(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout, verbs, "policies"); err != nil {
		fmt.Fprintln(os.Stderr, "tenantry-policy-engine:", err)
		os.Exit(1)
	}
}
