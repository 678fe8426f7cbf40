package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// markedOverlay is an overlay with its values taken out. Overlays with the same key differ in these values alone.
type markedOverlay struct {
	key       [sha256.Size]byte
	values    []any // string or int64, by the number of its marker
	documents []document
}

// marker replaces values, each by its own.
type marker struct {
	fixed   []map[string]bool
	numbers map[string]int
	values  []any
}

// markOverlay takes the values out of an overlay's files.
func markOverlay(o *overlay) (*markedOverlay, error) {
	read := &leaves{structure: sha256.New()}
	fmt.Fprintf(read.structure, "%d %q\n", strings.Count(o.folder, "/"), o.uses)
	size := 0
	for _, name := range slices.Sorted(maps.Keys(o.files)) {
		if size += len(o.files[name]); path.Dir(name) != o.folder || size > maxShared {
			return nil, errNoShape
		}
		if err := read.addFile(name, o.files[name]); err != nil {
			return nil, err
		}
	}
	own := map[string]bool{}
	for _, word := range kustomizeWords {
		own[word] = true
	}
	for _, leaf := range read.found {
		if _, ok := markable(leaf.node); leaf.fixed || !ok {
			own[leaf.node.Value] = true
		}
	}
	m := &marker{fixed: []map[string]bool{own}, numbers: map[string]int{}}
	for _, folder := range o.shared {
		words := folder.words()
		if words == nil {
			return nil, errNoShape
		}
		m.fixed = append(m.fixed, words)
	}
	for _, leaf := range read.found {
		node := leaf.node
		if number, marked := m.mark(node); marked {
			fmt.Fprintf(read.structure, "marker %d %T\n", number, m.values[number])
		} else {
			fmt.Fprintf(read.structure, "%s %d %q\n", node.ShortTag(), node.Style, node.Value)
		}
	}
	return &markedOverlay{[sha256.Size]byte(read.structure.Sum(nil)), m.values, read.documents}, nil
}

// mark writes the marker of a value in its place, unless the value is fixed.
func (m *marker) mark(node *yaml.Node) (int, bool) {
	if slices.ContainsFunc(m.fixed, func(words map[string]bool) bool { return words[node.Value] }) {
		return 0, false
	}
	number, known := m.numbers[node.Value]
	if !known {
		if number = len(m.values); number == maxMarkers {
			return 0, false
		}
		value, _ := markable(node)
		m.numbers[node.Value] = number
		m.values = append(m.values, value)
	}
	*node = markerNode(number, m.values[number])
	return number, true
}

// markable gives the value of a scalar that every reader takes for the same text or whole number.
func markable(node *yaml.Node) (any, bool) {
	value, sure := agreed(node)
	switch value := value.(type) {
	case string:
		return value, sure && isText(value)
	case int64:
		return value, sure && node.Style == 0
	}
	return nil, false
}

// isText reports whether every reader takes a value for text, even if nothing quotes it. What looks like no number to
// YAML 1.2 may be one to YAML 1.1 (190:20:30), but not with a letter, a slash or an asterisk in it.
func isText(value string) bool {
	if words[strings.ToLower(value)] {
		return false
	}
	bare := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	return plain.MatchString(value) || bare.ShortTag() == "!!str" && strings.ContainsFunc(value, isNoNumber)
}

func isNoNumber(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '/' || r == '*'
}

func markerNode(number int, value any) yaml.Node {
	if _, ok := value.(string); ok {
		return yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprintf("%s%06d", markedText, number), Style: yaml.DoubleQuotedStyle}
	}
	return yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(markedNumber + number)}
}

// texts are the files of the overlay, with markers.
func (o *markedOverlay) texts() (map[string]string, error) {
	files := map[string]string{}
	for _, document := range slices.Backward(o.documents) { // a patch is written before the file that holds it
		text, err := yaml.Marshal(document.root)
		if err != nil {
			return nil, err
		}
		if document.holder != nil {
			document.holder.Value, document.holder.Style, document.holder.Tag = string(text), yaml.LiteralStyle, "!!str"
			continue
		}
		files[document.file] = string(text)
	}
	return files, nil
}
