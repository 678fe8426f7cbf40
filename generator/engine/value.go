package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	kubernetesyaml "sigs.k8s.io/yaml"
)

// Limits on what one document may grow to, aliases followed.
const (
	maxDepth = 200
	maxNodes = 2_000_000
)

// reader turns a document into the JSON value that the API server would see.
type reader struct {
	nodes     int
	ambiguous bool // a plain word that YAML 1.1 reads as a boolean
}

// errorAt is a problem at a place of the text; lines and columns count from 1.
type errorAt struct {
	line, column int
	message      string
}

func (e *errorAt) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

func at(node *yaml.Node, format string, arguments ...any) error {
	return &errorAt{node.Line, node.Column, fmt.Sprintf(format, arguments...)}
}

// value reads a document. A repeated key is an error, as for a strict API server.
func value(document *yaml.Node) (any, error) {
	r := &reader{}
	result, err := r.read(document, 0)
	if err != nil || !r.ambiguous {
		return result, err
	}
	return r.asKubernetes(document)
}

// asKubernetes reads the document once more with the parser of kubectl and Argo CD, which takes `on` for true.
func (r *reader) asKubernetes(document *yaml.Node) (any, error) {
	text, err := yaml.Marshal(document)
	if err != nil {
		return nil, err
	}
	var result any
	if err := kubernetesyaml.Unmarshal(text, &result); err != nil {
		return nil, err
	}
	return integers(result), nil
}

// integers gives whole numbers back their type, which the JSON decoder of the package above loses.
func integers(v any) any {
	switch typed := v.(type) {
	case map[string]any:
		for key, inner := range typed {
			typed[key] = integers(inner)
		}
	case []any:
		for i, inner := range typed {
			typed[i] = integers(inner)
		}
	case float64:
		if typed == math.Trunc(typed) && math.Abs(typed) < 1<<53 {
			return int64(typed)
		}
	}
	return v
}

func (r *reader) read(node *yaml.Node, depth int) (any, error) {
	r.nodes++
	if r.nodes > maxNodes {
		return nil, at(node, "the document has more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, at(node, "nested deeper than %d levels", maxDepth)
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return r.read(node.Content[0], depth)
	case yaml.AliasNode:
		return r.read(node.Alias, depth+1)
	case yaml.MappingNode:
		return r.mapping(node, depth)
	case yaml.SequenceNode:
		result := make([]any, 0, len(node.Content))
		for _, item := range node.Content {
			child, err := r.read(item, depth+1)
			if err != nil {
				return nil, err
			}
			result = append(result, child)
		}
		return result, nil
	case yaml.ScalarNode:
		return r.scalar(node)
	}
	return nil, nil // an empty document
}

func (r *reader) mapping(node *yaml.Node, depth int) (any, error) {
	result := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, at(key, "a key is no plain word")
		}
		if key.ShortTag() == "!!merge" {
			return nil, at(key, "merge keys (<<) are not part of YAML 1.2; write the values out")
		}
		if _, twice := result[key.Value]; twice {
			return nil, at(key, "the key %q is written twice", key.Value)
		}
		child, err := r.read(node.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		result[key.Value] = child
	}
	return result, nil
}

func (r *reader) scalar(node *yaml.Node) (any, error) {
	switch tag := node.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!binary", "!!merge":
		if node.Style == 0 && len(node.Value) <= 3 && words[strings.ToLower(node.Value)] {
			r.ambiguous = true
		}
		return node.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(node.Value, "true"), nil
	case "!!int":
		if n, err := strconv.ParseInt(node.Value, 10, 64); err == nil {
			return n, nil
		}
		return decoded(node)
	case "!!float":
		return decoded(node)
	default:
		return nil, at(node, "a tag of this kind has no meaning in a manifest")
	}
}

// decoded reads numbers that are not plain decimals. JSON has no infinity and no not-a-number.
func decoded(node *yaml.Node) (any, error) {
	var result any
	if err := node.Decode(&result); err != nil {
		return nil, at(node, "the value is no number")
	}
	switch number := result.(type) {
	case int:
		return int64(number), nil
	case float64:
		if math.IsInf(number, 0) || math.IsNaN(number) {
			return nil, at(node, "the value is no JSON number")
		}
	case uint64:
		return nil, at(node, "the number does not fit 64 bits with a sign")
	}
	return result, nil
}
