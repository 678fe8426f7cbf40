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

// first names the keys that people look for at the top; all others follow in byte order.
var first = []string{"apiVersion", "kind", "metadata", "name", "namespace"}

// canonicalYAML writes one JSON object as YAML: one byte sequence for one value, and strings that
// YAML 1.1 and 1.2 readers both take for strings.
func canonicalYAML(raw []byte) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	node, err := toNode(value)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(node); err != nil {
		return "", err
	}
	return text.String(), encoder.Close()
}

func toNode(value any) (*yaml.Node, error) {
	switch v := value.(type) {
	case map[string]any:
		return mapNode(v)
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(v) == 0 {
			node.Style = yaml.FlowStyle
		}
		for _, item := range v {
			child, err := toNode(item)
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		return node, nil
	case string:
		return stringNode(v), nil
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}, nil
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
	return nil, fmt.Errorf("no YAML form for %T", value)
}

func mapNode(values map[string]any) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if len(values) == 0 {
		node.Style = yaml.FlowStyle
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareKeys)
	for _, key := range keys {
		child, err := toNode(values[key])
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, stringNode(key), child)
	}
	return node, nil
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

// plain admits what no reader takes for anything but a string; whatever is in doubt is quoted.
// A number with a unit (`500m`, `10Gi`) is safe; `1e3`, `0x1F`, `12:30` and dates are not.
var plain = regexp.MustCompile(`^(?:[A-Za-z/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@+(-][A-Za-z0-9_./@+()-]*)*|[1-9][0-9]*(?:m|[KMGT]i|s|h|d))$`)

// words are read as a boolean or as null by one reader or another (YAML 1.1 section on types).
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

// literal tells whether a block scalar keeps the text as it is: no control characters, no line that
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
