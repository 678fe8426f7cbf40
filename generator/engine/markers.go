package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Overlays differ mostly in values: names, hosts, sizes. A marker takes a value's place where Kustomize does no more with
// the value than to copy it and to compare it with others:
//   - equal values have one marker, and different ones have different markers;
//   - what the shared files hold, and what Kustomize has words for, has none;
//   - every reader takes the value for text, or for a whole number.
// What no marker may replace is fixed: it belongs to the overlay's shape.

const (
	markedText   = "tenantry-marker-" // and six digits
	markedNumber = 7_770_000_000      // and above
	maxMarkers   = 1_000_000
	maxShared    = 1 << 20 // bytes of an overlay's files, above which it has no shape
)

// errNoShape says that an overlay uses something which is not known to treat all values alike.
var errNoShape = errors.New("no shape")

// kustomizeWords are values that mean something to Kustomize wherever they stand.
var kustomizeWords = []string{"default", "delete", "merge", "replace", "retainKeys", "setElementOrder", "List", "-"}

// identifiers are the fields whose value decides how Kustomize treats the object around it.
var identifiers = map[string]bool{"apiVersion": true, "kind": true, "apiGroup": true, "group": true, "version": true}

// entryKeys are the fields by which Kustomize tells the entries of a list apart, in whatever kind.
var entryKeys = map[string]bool{
	"containerPort": true, "devicePath": true, "ip": true, "mountPath": true, "name": true, "port": true,
	"protocol": true, "topologyKey": true, "type": true, "uid": true, "whenUnsatisfiable": true,
}

// kustomizeFields are what an overlay with a shape may ask of Kustomize.
var kustomizeFields = []string{"apiVersion", "kind", "namespace", "labels", "resources", "components", "patches"}

// plainName is a name that Kustomize only copies and compares: it joins the names that an object had with commas.
var plainName = regexp.MustCompile(`^[A-Za-z0-9._:-]*$`)

// exact is a selector of a patch that can only mean the object of this name.
var exact = regexp.MustCompile(`^[A-Za-z0-9-]*$`)

// leaf is a scalar of an overlay, in the order in which it was read.
type leaf struct {
	node  *yaml.Node
	fixed bool
}

// document is one file, or one patch inside of a file; in the latter case holder is the scalar that holds its text.
type document struct {
	file   string
	root   *yaml.Node
	holder *yaml.Node
}

// leaves reads files into their documents and scalars.
type leaves struct {
	structure hash.Hash
	documents []document
	found     []leaf
}

// addFile reads one file: a kustomization, or an object.
func (l *leaves) addFile(name, text string) error {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	root := &yaml.Node{}
	if err := decoder.Decode(root); err != nil || !errors.Is(decoder.Decode(&yaml.Node{}), io.EOF) {
		return errNoShape
	}
	l.documents = append(l.documents, document{file: name, root: root})
	fmt.Fprintf(l.structure, "document %q\n", path.Base(name))
	if path.Base(name) == "kustomization.yaml" {
		return l.kustomization(root.Content[0])
	}
	return l.object(root.Content[0])
}

// object reads an object of the overlay's own.
func (l *leaves) object(root *yaml.Node) error {
	for _, field := range []string{"name", "namespace"} {
		if name := child(child(root, "metadata"), field); name != nil && !plainName.MatchString(name.Value) {
			return errNoShape
		}
	}
	return l.free(root)
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func (l *leaves) kustomization(root *yaml.Node) error {
	return l.mapping(root, func(key string, value *yaml.Node) error {
		switch key {
		case "patches":
			return l.sequence(value, l.patchEntry)
		case "labels":
			return l.free(value)
		case "namespace":
			if !plainName.MatchString(value.Value) {
				return errNoShape
			}
			return l.free(value)
		}
		if !slices.Contains(kustomizeFields, key) {
			return errNoShape
		}
		return l.fixed(value)
	})
}

// patchEntry reads one entry of a kustomization's patches.
func (l *leaves) patchEntry(entry *yaml.Node) error {
	return l.mapping(entry, func(key string, value *yaml.Node) error {
		switch {
		case key == "target":
			return l.target(value)
		case key != "patch" || value.Kind != yaml.ScalarNode:
			return errNoShape
		}
		root := &yaml.Node{}
		if err := yaml.Unmarshal([]byte(value.Value), root); err != nil || len(root.Content) != 1 {
			return errNoShape
		}
		l.documents = append(l.documents, document{root: root, holder: value})
		if root.Content[0].Kind == yaml.SequenceNode {
			return l.sequence(root.Content[0], l.operation)
		}
		return l.merged(root.Content[0])
	})
}

func (l *leaves) target(node *yaml.Node) error {
	return l.mapping(node, func(key string, value *yaml.Node) error {
		if value.Kind != yaml.ScalarNode || key != "group" && key != "version" && !exact.MatchString(value.Value) {
			return errNoShape
		}
		return l.fixed(value)
	})
}

// operation reads one entry of a JSON patch.
func (l *leaves) operation(node *yaml.Node) error {
	return l.mapping(node, func(key string, value *yaml.Node) error {
		if key == "value" {
			return l.free(value)
		}
		return l.fixed(value)
	})
}

// free reads values that may have markers.
func (l *leaves) free(node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		return l.mapping(node, l.field(l.free))
	case yaml.SequenceNode:
		return l.sequence(node, l.free)
	}
	return l.scalar(node, false)
}

// merged reads a strategic merge patch: in its lists, the entries and the fields that tell them apart are fixed.
func (l *leaves) merged(node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		return l.mapping(node, l.field(l.merged))
	case yaml.SequenceNode:
		return l.sequence(node, l.mergedEntry)
	}
	return l.scalar(node, false)
}

func (l *leaves) mergedEntry(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return l.fixed(node)
	}
	return l.mapping(node, func(key string, value *yaml.Node) error {
		if entryKeys[key] {
			return l.fixed(value)
		}
		return l.field(l.merged)(key, value)
	})
}

// field reads what stands below a key, which is fixed where it decides what the object is.
func (l *leaves) field(read func(*yaml.Node) error) func(string, *yaml.Node) error {
	return func(key string, value *yaml.Node) error {
		switch {
		case strings.Contains(key, "config.kubernetes.io/") || strings.Contains(key, "config.k8s.io/"):
			return errNoShape // instructions to Kustomize
		case identifiers[key] || strings.HasPrefix(key, "$"):
			return l.fixed(value)
		}
		return read(value)
	}
}

func (l *leaves) fixed(node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		return l.mapping(node, func(_ string, value *yaml.Node) error { return l.fixed(value) })
	case yaml.SequenceNode:
		return l.sequence(node, l.fixed)
	}
	return l.scalar(node, true)
}

func (l *leaves) mapping(node *yaml.Node, read func(key string, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode || node.Anchor != "" {
		return errNoShape
	}
	fmt.Fprintf(l.structure, "mapping %d\n", len(node.Content))
	for i := 0; i+1 < len(node.Content); i += 2 {
		if err := l.scalar(node.Content[i], true); err != nil {
			return err
		}
		if err := read(node.Content[i].Value, node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (l *leaves) sequence(node *yaml.Node, read func(*yaml.Node) error) error {
	if node.Kind != yaml.SequenceNode || node.Anchor != "" {
		return errNoShape
	}
	fmt.Fprintf(l.structure, "sequence %d\n", len(node.Content))
	for _, item := range node.Content {
		if err := read(item); err != nil {
			return err
		}
	}
	return nil
}

func (l *leaves) scalar(node *yaml.Node, fixed bool) error {
	if node.Kind != yaml.ScalarNode || node.Anchor != "" || strings.Contains(node.Value, markedText) {
		return errNoShape
	}
	fmt.Fprintf(l.structure, "scalar\n")
	l.found = append(l.found, leaf{node, fixed})
	return nil
}

// fixedWords are the values of some files, none of which may have a marker; nil if they can't be read.
func fixedWords(files map[string]string) map[string]bool {
	read := &leaves{structure: sha256.New()}
	for name, text := range files {
		if err := read.addFile(name, text); err != nil {
			return nil
		}
	}
	words := make(map[string]bool, len(read.found))
	for _, leaf := range read.found {
		words[leaf.node.Value] = true
	}
	return words
}
