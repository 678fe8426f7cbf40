// Command tenantry-engine is a filter: framed JSON requests on standard input,
// framed JSON answers on standard output. It holds what only exists as Go
// libraries and knows nothing about tenants.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	// Builds make much garbage and hold little: collecting seldom is a fifth faster and costs some ten MiB.
	debug.SetGCPercent(400)
	server := newServer(bufio.NewReaderSize(os.Stdin, 1<<20), os.Stdout)
	if err := server.run(); err != nil {
		fmt.Fprintln(os.Stderr, "tenantry-engine:", err)
		os.Exit(1)
	}
}
