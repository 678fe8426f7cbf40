package main

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// reader turns a document into the JSON value that the API server would see.
type reader struct {
	left int // what the documents of the file may still grow to, aliases followed
}

// errorAt is a problem at a place of the text; lines and columns count from 1.
type errorAt struct {
	line, column  int
	kind, message string
}

func (e *errorAt) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.message) }

func at(node *yaml.Node, format string, arguments ...any) error {
	return &errorAt{node.Line, node.Column, kindYAML, fmt.Sprintf(format, arguments...)}
}

// over is a value that is not read because of a limit.
func over(node *yaml.Node, format string, arguments ...any) error {
	return &errorAt{node.Line, node.Column, unjudged, fmt.Sprintf(format, arguments...)}
}

// value reads a document. A repeated key is an error, as for a strict API server.
func value(document *yaml.Node) (any, error) {
	left := maxFileBytes
	return valueWithin(document, &left)
}

// valueWithin reads a document, and deducts its expanded size from the allowance.
func valueWithin(document *yaml.Node, left *int) (any, error) {
	r := &reader{left: *left}
	result, err := r.read(document, 0, 0)
	*left = r.left
	return result, err
}

func (r *reader) read(node *yaml.Node, depth, path int) (any, error) {
	r.left -= bytesPerValue + len(node.Value)
	if r.left < 0 {
		return nil, over(node, "the file's values, aliases followed, are too many or too long")
	}
	if path > maxPathBytes {
		return nil, over(node, "the way to the value has keys of over %d bytes together", maxPathBytes)
	}
	if depth > maxDepth {
		return nil, over(node, "nested deeper than %d levels", maxDepth)
	}
	switch node.Kind {
	case yaml.DocumentNode:
		return r.read(node.Content[0], depth, path)
	case yaml.AliasNode:
		return r.read(node.Alias, depth+1, path)
	case yaml.MappingNode:
		return r.mapping(node, depth, path)
	case yaml.SequenceNode:
		result := make([]any, 0, len(node.Content))
		for _, item := range node.Content {
			child, err := r.read(item, depth+1, path+1)
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

func (r *reader) mapping(node *yaml.Node, depth, path int) (any, error) {
	result := make(map[string]any, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, err := keyText(node.Content[i])
		if err != nil {
			return nil, err
		}
		if _, twice := result[key]; twice {
			return nil, at(node.Content[i], "the key %q is written twice", key)
		}
		r.left -= len(key)
		child, err := r.read(node.Content[i+1], depth+1, path+1+len(key))
		if err != nil {
			return nil, err
		}
		result[key] = child
	}
	return result, nil
}
