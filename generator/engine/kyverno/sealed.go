package main

import "github.com/kyverno/kyverno/pkg/toggle"

// seal keeps policies from asking anything of the network: they come from a repository, and Kyverno's library for
// expressions can call any address with what it sees. In a cluster its own lists say what may be called. The other
// libraries that look outside (images, resources, the global context) know nothing here: they stand on fakes.
func seal() error {
	if err := toggle.HTTPBlocklist.Parse("0.0.0.0/0,::/0"); err != nil {
		return err
	}
	return toggle.HTTPAllowlist.Parse("https://nothing.invalid/")
}
