package main

import (
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
	kindYAML   = "yaml"   // invalid YAML
	kindObject = "object" // a document that is not a Kubernetes object
)

// parseProblem is text that gives no object. Kind is one of the above, or unjudged (over a limit).
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
	return readManifests(ctx, input.Text, k.catalog.judge), nil
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
		files[i] = readManifests(ctx, text, judge)
	}
	return map[string]any{"files": files}, nil
}

// judge returns the verdict of the definition of an object's kind, within the remaining allowance of its file.
type judge func(ctx context.Context, group, version, kind string, object map[string]any, left *allowance) (*verdict, error)

// collector reads one file.
type collector struct {
	manifests
	judge     judge // nil when the objects are only read
	allowance *allowance
}

func readManifests(ctx context.Context, text string, judge judge) *manifests {
	c := &collector{manifests: manifests{Objects: []parsed{}, Problems: []parseProblem{}}, judge: judge, allowance: allowanceFor(text)}
	if !sparse(text) {
		c.add(parseProblem{unjudged, 1, 1, "the file has too many values to be read"})
		return &c.manifests
	}
	left := min(maxFileBytes, fileBase+filePerByte*len(text))
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for number := 0; ; number++ {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return &c.manifests
		}
		if err != nil {
			c.complain(err)
			return &c.manifests // after a syntax error the parser's results are unreliable
		}
		v, err := valueWithin(&document, &left)
		if err != nil {
			c.complain(err)
			continue
		}
		if v == nil {
			continue // an empty document between two separators
		}
		c.collect(ctx, v, parsed{Document: number, Line: document.Content[0].Line, Items: []int{}})
	}
}

// collect adds an object, or the objects of a List.
func (c *collector) collect(ctx context.Context, v any, place parsed) {
	complain := func(problem, format string, arguments ...any) {
		where := ""
		for _, item := range place.Items {
			where += fmt.Sprintf("items[%d]: ", item)
		}
		c.add(parseProblem{problem, place.Line, 1, where + fmt.Sprintf(format, arguments...)})
	}
	content, ok := v.(map[string]any)
	if !ok {
		complain(kindObject, "no Kubernetes object: a mapping is needed")
		return
	}
	apiVersion, _ := content["apiVersion"].(string)
	kind, _ := content["kind"].(string)
	if apiVersion == "" || kind == "" {
		complain(kindObject, "no Kubernetes object: apiVersion and kind are needed")
		return
	}
	if items, ok := content["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for i, item := range items {
			inner := place
			inner.Items = append(append([]int{}, place.Items...), i)
			c.collect(ctx, item, inner)
		}
		return
	}
	metadata, _ := content["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if generate, _ := metadata["generateName"].(string); name == "" && generate != "" {
		name = generate
	}
	if value, given := metadata["name"]; name == "" && given && value != nil && value != "" {
		complain(kindObject, "metadata.name of %s is %v to Kubernetes, which reads YAML 1.1, and not text: write it in quotes", kind, value)
		return
	}
	if name == "" {
		complain(kindObject, "%s has no metadata.name", kind)
		return
	}
	if bytes, values := size(content); bytes > maxObjectBytes || values > maxObjectValues {
		complain(unjudged, tooLarge, maxObjectBytes>>20, maxObjectValues)
		return
	}
	namespace, _ := metadata["namespace"].(string)
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	place.object = object{Group: group, Version: version, Kind: kind, Namespace: namespace, Name: name, Value: content}
	if c.judge != nil {
		judged, err := c.judge(ctx, group, version, kind, content, c.allowance)
		if err != nil {
			complain(unjudged, "%s %s could not be judged: %v", kind, name, err)
			return
		}
		place.Verdict, place.Syntax = judged, capped(syntaxProblems(group, kind, content))
	}
	c.Objects = append(c.Objects, place)
}

// Texts of the parser may quote the file, where a value may be a secret that looks like an alias or a number.
var yamlQuoted = regexp.MustCompile("`[^`]*`|unknown anchor '[^']*'")

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

func (c *collector) complain(err error) {
	var placed *errorAt
	if errors.As(err, &placed) {
		c.add(parseProblem{placed.kind, placed.line, placed.column, placed.message})
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
	c.add(parseProblem{kindYAML, max(line, 1), 1, "not valid YAML: " + text[len(found[0]):]})
}

// add keeps a problem, up to a number.
func (c *collector) add(p parseProblem) {
	switch len(c.Problems) {
	case maxFileProblems:
		p = parseProblem{unjudged, p.Line, 1, "and more problems, which are not listed"}
	case maxFileProblems + 1:
		return
	}
	p.Message = shortened(p.Message)
	c.Problems = append(c.Problems, p)
}
