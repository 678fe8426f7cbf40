package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// What one object and one file may cost. Manifests are untrusted; without limits a few lines of YAML exhaust the memory.
const (
	maxDepth          = 200
	maxSeparators     = 3_000_000 // of one file: each may begin a value, and the parser takes a quarter of a KiB for it
	maxFileBytes      = 40 << 20  // to which a file may grow when aliases are followed; one without them is smaller
	fileBase          = 1 << 20   // and for each of its bytes:
	filePerByte       = 8
	bytesPerValue     = 4 // what a value takes at least
	maxFileProblems   = 1000
	maxObjectBytes    = 3 << 20 // an API server takes no larger request (k8s.io/apiserver, MaxRequestBodyBytes)
	maxObjectValues   = 200_000
	maxPathBytes      = 2 << 10 // the longest that operators have is under 300
	maxProblems       = 100     // of one object that are reported
	maxMessage        = 500
	growthBase        = 4 << 20 // by which the defaults of a file's objects may let them grow, and for each of its bytes
	growthPerByte     = 32
	celPerByte        = 100      // cost of CEL rules for each byte of a file, beside what the API server grants one object
	maxLanguageBytes  = 64 << 10 // of an expression inside a field; parsers of nested languages call themselves
	unjudged          = "unjudged"
	tooMuchCEL        = "the rules of the file's definitions cost too much, so the object could not be judged"
	tooMuchGrowth     = "by its defaults the object grows over all bounds, so it could not be judged"
	tooLarge          = "the object has over %d MiB or %d values; no API server takes it, so it was not judged"
	brokenDefinition  = "the CustomResourceDefinition in the tree can't be used, so the object could not be judged"
	definitionRefused = "the schema of the kind can't be used, so the object could not be judged: %v"
)

// sparse reports whether a text can be parsed in memory not much larger than the text.
func sparse(text string) bool {
	found := 0
	for _, separator := range []string{",", "\n", ":", "[", "{", "- ", "?"} {
		found += strings.Count(text, separator)
	}
	return found <= maxSeparators
}

// allowance is what is left for the objects of one file. Defaults and rules stand in the definition, and are paid for by
// each object, so a small file could ask for any amount of work.
type allowance struct {
	growth int
	cel    int64
}

func allowanceFor(text string) *allowance {
	return &allowance{growth: growthBase + growthPerByte*len(text), cel: celconfig.RuntimeCELCostBudget + celPerByte*int64(len(text))}
}

// allowanceForOne is what the API server grants one object.
func allowanceForOne() *allowance {
	return &allowance{growth: maxObjectBytes, cel: celconfig.RuntimeCELCostBudget}
}

// size adds up the bytes of a value's JSON, roughly, and counts its values.
func size(v any) (bytes, values int) {
	bytes, values = 2, 1
	add := func(inner any) {
		b, n := size(inner)
		bytes, values = bytes+b+1, values+n
	}
	switch typed := v.(type) {
	case map[string]any:
		for key, inner := range typed {
			bytes += len(key) + 3
			add(inner)
		}
	case []any:
		for _, inner := range typed {
			add(inner)
		}
	case string:
		bytes += len(typed)
	default:
		bytes += 4
	}
	return bytes, values
}

// grows tells whether the defaults of a schema fit into what is left, without making them: it walks as
// defaulting.Default does, down into the defaults themselves.
func (a *allowance) grows(x any, s *schema.Structural) bool {
	left := min(a.growth, maxObjectBytes)
	before := left
	fits := withDefaults(x, s, &left)
	a.growth -= before - left
	return fits
}

func withDefaults(x any, s *schema.Structural, left *int) bool {
	if s == nil {
		return true
	}
	inside := func(key string, v any, found bool, s *schema.Structural) bool {
		if s != nil && s.Default.Object != nil && (!found || (v == nil && !s.Nullable)) {
			v = s.Default.Object
			bytes, _ := size(v)
			*left -= bytes + len(key) + 4 // as `size` counts an entry
		}
		return *left >= 0 && withDefaults(v, s, left)
	}
	switch typed := x.(type) {
	case map[string]any:
		for key, property := range s.Properties {
			if v, found := typed[key]; !inside(key, v, found, &property) {
				return false
			}
		}
		if s.AdditionalProperties == nil {
			return true
		}
		for key, v := range typed {
			if _, named := s.Properties[key]; !named && !inside(key, v, true, s.AdditionalProperties.Structural) {
				return false
			}
		}
	case []any:
		for _, v := range typed {
			if !inside("", v, true, s.Items) {
				return false
			}
		}
	}
	return true
}

// capped keeps a few problems, with short texts: one field can break thousands of lines, and cite them.
func capped(found []problem) []problem {
	rest := len(found) - maxProblems
	if rest > 0 {
		slices.SortFunc(found, func(a, b problem) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message)) })
		found = append(found[:maxProblems:maxProblems], problem{"", unjudged, fmt.Sprintf("%d more problems of the object are not listed", rest)})
	}
	for i := range found {
		found[i].Message = shortened(found[i].Message)
	}
	return found
}

// shortened cuts a long text at a letter's end.
func shortened(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
