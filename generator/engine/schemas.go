package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// crdFiles holds one file an API group, made by crds/regenerate.py from the operators' released modules.
//
//go:embed crds/data/*.json
var crdFiles embed.FS

// A definition is what a CustomResourceDefinition says of one kind.
type definition struct {
	Kind     string               `json:"kind"`
	Scope    string               `json:"scope"`
	Source   string               `json:"source"`
	Versions []*definitionVersion `json:"versions"`
	Group    string               `json:"-"` // of the tree's own
	Broken   bool                 `json:"-"` // the tree's own, and the API server refuses it
}

type definitionVersion struct {
	Name               string `json:"name"`
	Served             bool   `json:"served"`
	Deprecated         bool   `json:"deprecated"`
	DeprecationWarning string `json:"deprecationWarning"`
	Schema             struct {
		OpenAPI json.RawMessage `json:"openAPIV3Schema"`
	} `json:"schema"`

	once     sync.Once
	compiled *compiledSchema
	failure  error
}

// compiledSchema is a version's schema in the three forms that the API server judges by.
type compiledSchema struct {
	structural *schema.Structural
	openAPI    validation.SchemaValidator
	rules      *cel.Validator
}

// catalog finds definitions by group and kind. A group's file is read when an object first asks for it,
// a schema is compiled when an object first needs it: most runs see a few of the kinds.
type catalog struct {
	mutex  sync.Mutex
	groups map[string]map[string]*definition
	own    map[string]map[string]*definition // given with "define"
}

func newCatalog() *catalog {
	return &catalog{groups: map[string]map[string]*definition{}, own: map[string]map[string]*definition{}}
}

func (c *catalog) find(group, kind string) (*definition, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if d := c.own[group][kind]; d != nil {
		return d, nil
	}
	if known, ok := c.groups[group]; ok {
		return known[kind], nil
	}
	known := map[string]*definition{}
	c.groups[group] = known
	text, err := crdFiles.ReadFile(path.Join("crds/data", path.Base(group+".json")))
	if err != nil {
		return nil, nil // a group of no known operator
	}
	var definitions []*definition
	if err := json.Unmarshal(text, &definitions); err != nil {
		return nil, fmt.Errorf("crds/data/%s.json: %w", group, err)
	}
	for _, d := range definitions {
		known[d.Kind] = d
	}
	return known[kind], nil
}

func (v *definitionVersion) schemas() (*compiledSchema, error) {
	v.once.Do(func() { v.compiled, v.failure = compile(v.Schema.OpenAPI) })
	return v.compiled, v.failure
}

func compile(text json.RawMessage) (*compiledSchema, error) {
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(text, &props); err != nil {
		return nil, err
	}
	internal, structural, err := readSchema(&props)
	if err != nil {
		return nil, err
	}
	openAPI, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		return nil, err
	}
	return &compiledSchema{structural, openAPI, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}

// readSchema gives the API server's two forms of a schema.
func readSchema(props *apiextensionsv1.JSONSchemaProps) (*apiextensions.JSONSchemaProps, *schema.Structural, error) {
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, &internal, nil); err != nil {
		return nil, nil, err
	}
	structural, err := schema.NewStructural(&internal)
	return &internal, structural, err
}

// verdict is what the definition of an object's kind says of it.
type verdict struct {
	Namespaced  bool      `json:"namespaced"`
	Served      []string  `json:"served"`      // versions of the kind that are served
	Deprecation string    `json:"deprecation"` // empty unless the object's version is deprecated
	Source      string    `json:"source"`
	Problems    []problem `json:"problems"`
}

// problem is one field that the API server would reject. Rule is unknown (the message lists names that may be meant),
// schema, cel, syntax or unjudged.
type problem struct {
	Path    string `json:"path"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// judge returns nil for a kind without a definition. It does not change the object.
func (c *catalog) judge(ctx context.Context, group, version, kind string, object map[string]any, left *allowance) (*verdict, error) {
	d, err := c.find(group, kind)
	if d == nil || err != nil {
		return nil, err
	}
	result := &verdict{Namespaced: d.Scope == string(apiextensionsv1.NamespaceScoped), Source: d.Source, Served: []string{}, Problems: []problem{}}
	if d.Broken {
		result.Served = append(result.Served, version)
		result.Problems = []problem{{"kind", unjudged, brokenDefinition}}
		return result, nil
	}
	var wanted *definitionVersion
	for _, v := range d.Versions {
		if v.Served {
			result.Served = append(result.Served, v.Name)
		}
		if v.Name == version && v.Served {
			wanted = v
		}
	}
	if wanted == nil {
		return result, nil
	}
	if wanted.Deprecated {
		result.Deprecation = wanted.DeprecationWarning
		if result.Deprecation == "" {
			result.Deprecation = fmt.Sprintf("%s/%s %s is deprecated", group, version, kind)
		}
	}
	if len(wanted.Schema.OpenAPI) == 0 {
		return result, nil
	}
	result.Problems = capped(guarded(func() []problem {
		s, err := wanted.schemas()
		if err != nil {
			return []problem{{"kind", unjudged, fmt.Sprintf(definitionRefused, err)}}
		}
		return s.problems(ctx, runtime.DeepCopyJSON(object), left)
	}))
	return result, nil
}

// problems validates the object as the API server does on creation, in the same order.
func (s *compiledSchema) problems(ctx context.Context, object map[string]any, left *allowance) []problem {
	found := []problem{}
	unknown := pruning.PruneWithOptions(object, s.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	metaErr, metaUnknown := objectmeta.CoerceWithOptions(nil, object, s.structural, true, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown = append(unknown, metaUnknown...)
	slices.Sort(unknown)
	for _, path := range slices.Compact(unknown) {
		found = append(found, problem{path, "unknown", strings.Join(neighbours(s.structural, path), " ")})
	}
	var errs field.ErrorList
	if metaErr != nil {
		errs = append(errs, metaErr)
	}
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	if !left.grows(object, s.structural) {
		return append(found, problem{"", unjudged, tooMuchGrowth})
	}
	defaulting.Default(object, s.structural)
	errs = append(errs, validation.ValidateCustomResource(nil, object, s.openAPI)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, object, s.structural, true)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	for _, e := range errs {
		found = append(found, problem{e.Field, "schema", e.ErrorBody()})
	}
	if len(errs) > 0 {
		return found // rules must not be evaluated on values of the wrong type
	}
	granted := min(left.cel, celconfig.RuntimeCELCostBudget)
	if granted <= 0 {
		return append(found, problem{"", unjudged, tooMuchCEL})
	}
	broken, rest := s.rules.Validate(ctx, nil, s.structural, object, nil, granted)
	left.cel -= granted - max(rest, 0)
	for _, e := range broken {
		found = append(found, problem{e.Field, "cel", e.ErrorBody()})
	}
	return found
}

// neighbours gives the fields that the schema has beside an unknown one, and its own name if another place has it.
func neighbours(s *schema.Structural, path string) []string {
	steps := strings.Split(listIndex.ReplaceAllString(path, ""), ".")
	name, names := steps[len(steps)-1], map[string]bool{}
	if named(s, name, 0) {
		names[name] = true
	}
	for _, step := range steps[:len(steps)-1] {
		for s != nil && s.Items != nil {
			s = s.Items
		}
		if s == nil {
			break
		}
		next, known := s.Properties[step]
		if known {
			s = &next
		} else if s.AdditionalProperties != nil {
			s = s.AdditionalProperties.Structural
		} else {
			s = nil
		}
	}
	for s != nil && s.Items != nil {
		s = s.Items
	}
	if s != nil {
		for known := range s.Properties {
			names[known] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

var listIndex = regexp.MustCompile(`\[[0-9]+\]`)

// named tells whether a field of that name is anywhere in the schema.
func named(s *schema.Structural, name string, depth int) bool {
	if s == nil || depth > 40 {
		return false
	}
	if _, known := s.Properties[name]; known || named(s.Items, name, depth+1) {
		return true
	}
	if s.AdditionalProperties != nil && named(s.AdditionalProperties.Structural, name, depth+1) {
		return true
	}
	for _, inner := range s.Properties {
		if named(&inner, name, depth+1) {
			return true
		}
	}
	return false
}
