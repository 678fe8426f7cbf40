package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Limits on what one document may grow to, aliases followed.
const (
	maxDepth = 200
	maxNodes = 2_000_000
)

// reader turns a document into the JSON value that the API server would see.
type reader struct {
	nodes int
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
	return (&reader{}).read(document, 0)
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
		return scalarValue(node)
	}
	return nil, nil // an empty document
}

func (r *reader) mapping(node *yaml.Node, depth int) (any, error) {
	result := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, err := keyText(node.Content[i])
		if err != nil {
			return nil, err
		}
		if _, twice := result[key]; twice {
			return nil, at(node.Content[i], "the key %q is written twice", key)
		}
		child, err := r.read(node.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		result[key] = child
	}
	return result, nil
}
