package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"tenantry.io/wire"
)

// parsed is one object of a file of manifests.
type parsed struct {
	object
	Document int   `json:"document"` // counts the file's documents from 0
	Items    []int `json:"items"`    // place inside a List, empty for an object of its own
	Line     int   `json:"line"`     // where the document begins, from 1
}

// Kinds of problems of a file.
const (
	kindYAML   = "yaml"   // text that no parser reads
	kindObject = "object" // a document that is no Kubernetes object
)

// parseProblem is text that is no Kubernetes object.
type parseProblem struct {
	Kind    string `json:"kind"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// manifests holds what one file gives.
type manifests struct {
	Objects  []parsed       `json:"objects"`
	Problems []parseProblem `json:"problems"`
}

// parse reads one file of manifests, YAML or JSON, several documents and Lists included, and judges its objects.
func (k *kustomize) parse(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	return readManifests(ctx, input.Text, k.catalog.judge)
}

// parseAll reads several files; each answer is that of "parse". Objects that were judged before need only be read.
func (k *kustomize) parseAll(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Texts  []string `json:"texts"`
		Judged bool     `json:"judged"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	judge := k.catalog.judge
	if input.Judged {
		judge = nil
	}
	files := make([]*manifests, len(input.Texts))
	for i, text := range input.Texts {
		read, err := readManifests(ctx, text, judge)
		if err != nil {
			return nil, err
		}
		files[i] = read
	}
	return map[string]any{"files": files}, nil
}

// judge says what the definition of an object's kind says of it.
type judge func(ctx context.Context, group, version, kind string, object map[string]any) (*verdict, error)

func readManifests(ctx context.Context, text string, judge judge) (*manifests, error) {
	result := &manifests{Objects: []parsed{}, Problems: []parseProblem{}}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for number := 0; ; number++ {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			result.complain(err)
			return result, nil // a parser that lost its way finds nothing true behind it
		}
		v, err := value(&document)
		if err != nil {
			result.complain(err)
			continue
		}
		if v == nil {
			continue // an empty document between two separators
		}
		place := parsed{Document: number, Line: document.Content[0].Line, Items: []int{}}
		if err := result.collect(ctx, v, place, judge); err != nil {
			return nil, err
		}
	}
}

// collect adds an object, or the objects of a List. Without a judge, it is only read.
func (m *manifests) collect(ctx context.Context, v any, place parsed, judge judge) error {
	complain := func(format string, arguments ...any) {
		where := ""
		for _, item := range place.Items {
			where += fmt.Sprintf("items[%d]: ", item)
		}
		m.Problems = append(m.Problems, parseProblem{kindObject, place.Line, 1, where + fmt.Sprintf(format, arguments...)})
	}
	content, ok := v.(map[string]any)
	if !ok {
		complain("no Kubernetes object: a mapping is needed")
		return nil
	}
	apiVersion, _ := content["apiVersion"].(string)
	kind, _ := content["kind"].(string)
	if apiVersion == "" || kind == "" {
		complain("no Kubernetes object: apiVersion and kind are needed")
		return nil
	}
	if items, ok := content["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for i, item := range items {
			inner := place
			inner.Items = append(append([]int{}, place.Items...), i)
			if err := m.collect(ctx, item, inner, judge); err != nil {
				return err
			}
		}
		return nil
	}
	metadata, _ := content["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if generate, _ := metadata["generateName"].(string); name == "" && generate != "" {
		name = generate
	}
	if name == "" {
		complain("%s has no metadata.name", kind)
		return nil
	}
	namespace, _ := metadata["namespace"].(string)
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	place.object = object{Group: group, Version: version, Kind: kind, Namespace: namespace, Name: name, Value: content}
	if judge != nil {
		judged, err := judge(ctx, group, version, kind, content)
		if err != nil {
			return err
		}
		place.Verdict, place.Syntax = judged, syntaxProblems(group, kind, content)
	}
	m.Objects = append(m.Objects, place)
	return nil
}

// Texts of the parser may quote the file, where a value may be a secret that looks like an alias or a number.
var yamlQuoted = regexp.MustCompile("`[^`]*`|unknown anchor '[^']*'")

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

func (m *manifests) complain(err error) {
	var placed *errorAt
	if errors.As(err, &placed) {
		m.Problems = append(m.Problems, parseProblem{kindYAML, placed.line, placed.column, placed.message})
		return
	}
	text := yamlQuoted.ReplaceAllStringFunc(err.Error(), func(quoted string) string {
		if strings.HasPrefix(quoted, "unknown anchor") {
			return "an unknown anchor"
		}
		return "a value"
	})
	found := yamlLine.FindStringSubmatch(text)
	line, _ := strconv.Atoi(found[1])
	m.Problems = append(m.Problems, parseProblem{kindYAML, max(line, 1), 1, "not valid YAML: " + text[len(found[0]):]})
}
