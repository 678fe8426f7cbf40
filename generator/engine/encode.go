package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// first lists the keys that people expect at the top; all others follow in byte order.
var first = []string{"apiVersion", "kind", "metadata", "name", "namespace"}

// canonicalYAML writes one document as YAML: one byte sequence for one value, and strings that
// both YAML 1.1 and 1.2 parsers read as strings.
func canonicalYAML(document *yaml.Node) (string, error) {
	node, err := canonical(document)
	if err != nil {
		return "", err
	}
	return encode(node)
}

func encode(node *yaml.Node) (string, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(node); err != nil {
		return "", err
	}
	return text.String(), encoder.Close()
}

// canonical copies a node without its comments, styles, anchors and order of keys.
func canonical(node *yaml.Node) (*yaml.Node, error) {
	switch node.Kind {
	case yaml.DocumentNode:
		return canonical(node.Content[0])
	case yaml.AliasNode:
		return canonical(node.Alias)
	case yaml.MappingNode:
		return canonicalMapping(node)
	case yaml.SequenceNode:
		return canonicalSequence(node)
	case yaml.ScalarNode:
		return canonicalScalar(node)
	}
	return nil, fmt.Errorf("no canonical form for a node of kind %d", node.Kind)
}

func canonicalSequence(node *yaml.Node) (*yaml.Node, error) {
	result := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: make([]*yaml.Node, 0, len(node.Content))}
	if len(node.Content) == 0 {
		result.Style = yaml.FlowStyle
	}
	for _, item := range node.Content {
		child, err := canonical(item)
		if err != nil {
			return nil, err
		}
		result.Content = append(result.Content, child)
	}
	return result, nil
}

// canonicalScalar writes a scalar as JSON would, so that 0x10, 1_0 and 16 are one value with one text.
func canonicalScalar(node *yaml.Node) (*yaml.Node, error) {
	if value, sure := agreed(node); sure {
		if text, ok := value.(string); ok {
			return stringNode(text), nil
		}
	}
	text, err := scalarJSON(node)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(text, `"`) {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}, nil
	}
	var word string
	if err := json.Unmarshal([]byte(text), &word); err != nil {
		return nil, err
	}
	return stringNode(word), nil
}

func canonicalMapping(node *yaml.Node) (*yaml.Node, error) {
	type entry struct {
		key   string
		value *yaml.Node
	}
	entries := make([]entry, 0, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, err := keyText(node.Content[i])
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{key, node.Content[i+1]})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return compareKeys(a.key, b.key) })
	result := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: make([]*yaml.Node, 0, len(node.Content))}
	if len(entries) == 0 {
		result.Style = yaml.FlowStyle
	}
	for _, e := range entries {
		child, err := canonical(e.value)
		if err != nil {
			return nil, err
		}
		result.Content = append(result.Content, stringNode(e.key), child)
	}
	return result, nil
}

func compareKeys(a, b string) int {
	if byRank := rank(a) - rank(b); byRank != 0 {
		return byRank
	}
	return strings.Compare(a, b)
}

func rank(key string) int {
	if i := slices.Index(first, key); i >= 0 {
		return i
	}
	return len(first)
}

// plain accepts what every parser reads as a string; anything in doubt is quoted.
// A number with a unit (`500m`, `10Gi`) is safe; `1e3`, `0x1F`, `12:30` and dates are not.
var plain = regexp.MustCompile(`^(?:[A-Za-z/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+(-][A-Za-z0-9_./@+()-]*)*|[1-9][0-9]*(?:m|[KMGT]i|s|h|d))$`)

// words are read as a boolean or null by some parser (YAML 1.1 section on types).
var words = map[string]bool{"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true, "true": true, "false": true, "null": true}

func stringNode(text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case strings.Contains(text, "\n") && literal(text):
		node.Style = yaml.LiteralStyle
	case !plain.MatchString(text) || words[strings.ToLower(text)]:
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// literal reports whether a block scalar keeps the text as it is: no control characters, no line that
// is only spaces or ends in them, no indented first line.
func literal(text string) bool {
	for _, r := range text {
		if r != '\n' && (r < 0x20 || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff) {
			return false
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasSuffix(line, " ") {
			return false
		}
	}
	return text[0] != ' ' && text[0] != '\n'
}
