// Command tenantry-engine is a filter: framed JSON requests on standard input,
// framed JSON answers on standard output. It wraps what only exists as Go
// libraries and knows nothing about tenants.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"

	"tenantry.io/wire"
)

func main() {
	// Builds make much garbage and hold little: collecting seldom is a fifth faster and costs some ten MiB.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(1 << 30) // above this it collects more often; it is not a hard limit
	if err := wire.Serve(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout, verbs(), "store", "define"); err != nil {
		fmt.Fprintln(os.Stderr, "tenantry-engine:", err)
		os.Exit(1)
	}
}

func verbs() map[string]wire.Verb {
	kustomize := newKustomize()
	go kustomize.warm.Do(warmUp) // while the client still reads its inputs
	all := map[string]wire.Verb{
		"store":     kustomize.store,
		"build":     kustomize.build,
		"parse":     kustomize.parse,
		"parse_all": kustomize.parseAll,
		"define":    kustomize.catalog.define,
		"intervals": intervals,
		"rules":     rules,
		"paths":     paths,
		"trees":     listTrees,
	}
	all["hello"] = wire.Hello(map[string]string{"kustomize": "sigs.k8s.io/kustomize/api"}, all)
	return all
}
