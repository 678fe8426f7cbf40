package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	kubernetesvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"tenantry.io/wire"
)

// defined lists what the API server would reject in one CustomResourceDefinition; empty if its kind is usable.
type defined struct {
	Problems []problem `json:"problems"`
}

// define adds CustomResourceDefinition objects, which override the built-in ones. One that the API server would reject
// is reported itself: its kind is then known, but its objects can't be checked. With `keep`, those passed before are
// kept.
func (c *catalog) define(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Definitions []json.RawMessage `json:"definitions"`
		Keep        bool              `json:"keep"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	result := make([]defined, len(input.Definitions))
	given := make([]*definition, len(input.Definitions))
	for i, text := range input.Definitions {
		given[i] = ownDefinition(text)
		result[i].Problems = capped(guarded(func() []problem { return definitionProblems(ctx, text) }))
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !input.Keep {
		c.own = map[string]map[string]*definition{}
	}
	for i, d := range given {
		if d == nil {
			continue // it names no kind, which was reported
		}
		if other := c.own[d.Group][d.Kind]; other != nil {
			result[i].Problems = append(result[i].Problems, problem{"spec.names.kind", "schema", "another CustomResourceDefinition in the tree defines the same kind"})
			other.Broken = true // which of them a cluster applies is undefined
			continue
		}
		d.Broken = len(result[i].Problems) > 0
		if c.own[d.Group] == nil {
			c.own[d.Group] = map[string]*definition{}
		}
		c.own[d.Group][d.Kind] = d
	}
	return map[string]any{"definitions": result}, nil
}

// ownDefinition reads what checking needs; nil if the text does not even name a kind.
func ownDefinition(text json.RawMessage) *definition {
	var head struct {
		Spec struct {
			Group string          `json:"group"`
			Scope string          `json:"scope"`
			Names json.RawMessage `json:"names"`
		} `json:"spec"`
	}
	var names struct {
		Kind string `json:"kind"`
	}
	var body struct {
		Spec struct {
			Versions []*definitionVersion `json:"versions"`
		} `json:"spec"`
	}
	// What can't be read was reported; a broken definition still names its kind.
	_ = json.Unmarshal(text, &head)
	_ = json.Unmarshal(head.Spec.Names, &names)
	if head.Spec.Group == "" || names.Kind == "" {
		return nil
	}
	if json.Unmarshal(text, &body) != nil {
		body.Spec.Versions = nil
	}
	return &definition{Kind: names.Kind, Scope: head.Spec.Scope, Source: "the tree", Group: head.Spec.Group, Versions: body.Spec.Versions}
}

// definitionProblems says what the API server says of a CustomResourceDefinition that is created, as far as it concerns
// the kind's objects: names, versions, and that each schema is structural, its defaults fit and its rules compile.
func definitionProblems(ctx context.Context, text json.RawMessage) []problem {
	var d apiextensionsv1.CustomResourceDefinition
	if err := json.Unmarshal(text, &d); err != nil {
		return []problem{{"spec", "schema", "the definition can't be read: " + err.Error()}}
	}
	errs := namesProblems(&d)
	stored, seen := 0, map[string]bool{}
	for i, v := range d.Spec.Versions {
		place := field.NewPath("spec", "versions").Index(i)
		if seen[v.Name] {
			errs = append(errs, field.Duplicate(place.Child("name"), v.Name))
		}
		seen[v.Name] = true
		if v.Storage {
			stored++
		}
		if wrong := kubernetesvalidation.IsDNS1035Label(v.Name); len(wrong) > 0 {
			errs = append(errs, field.Invalid(place.Child("name"), v.Name, strings.Join(wrong, ", ")))
		}
		place = place.Child("schema", "openAPIV3Schema")
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			errs = append(errs, field.Required(place, "schemas are required"))
			continue
		}
		errs = append(errs, schemaProblems(ctx, v.Schema.OpenAPIV3Schema, place)...)
	}
	if stored != 1 {
		errs = append(errs, field.Invalid(field.NewPath("spec", "versions"), stored, "must have exactly one version marked as storage version"))
	}
	found := []problem{}
	for _, e := range errs {
		found = append(found, problem{e.Field, "schema", e.ErrorBody()})
	}
	return found
}

func namesProblems(d *apiextensionsv1.CustomResourceDefinition) field.ErrorList {
	var errs field.ErrorList
	group, names := field.NewPath("spec", "group"), field.NewPath("spec", "names")
	if wrong := kubernetesvalidation.IsDNS1123Subdomain(d.Spec.Group); len(wrong) > 0 || !strings.Contains(d.Spec.Group, ".") {
		errs = append(errs, field.Invalid(group, d.Spec.Group, strings.Join(append(wrong, "should be a domain with at least one dot"), ", ")))
	}
	if wanted := d.Spec.Names.Plural + "." + d.Spec.Group; d.Name != wanted {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), d.Name, "must be spec.names.plural+\".\"+spec.group, "+wanted))
	}
	for key, name := range map[string]string{"plural": d.Spec.Names.Plural, "kind": strings.ToLower(d.Spec.Names.Kind)} {
		if wrong := kubernetesvalidation.IsDNS1035Label(name); len(wrong) > 0 {
			errs = append(errs, field.Invalid(names.Child(key), name, strings.Join(wrong, ", ")))
		}
	}
	if scopes := []apiextensionsv1.ResourceScope{apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped}; !slices.Contains(scopes, d.Spec.Scope) {
		errs = append(errs, field.NotSupported(field.NewPath("spec", "scope"), d.Spec.Scope, scopes))
	}
	return errs
}

func schemaProblems(ctx context.Context, props *apiextensionsv1.JSONSchemaProps, place *field.Path) field.ErrorList {
	internal, structural, err := readSchema(props)
	if err != nil {
		return field.ErrorList{field.Invalid(place, "", err.Error())}
	}
	if errs := schema.ValidateStructural(place, structural); len(errs) > 0 {
		return errs
	}
	if _, _, err := validation.NewSchemaValidator(internal); err != nil {
		return field.ErrorList{field.Invalid(place, "", err.Error())}
	}
	errs, err := defaulting.ValidateDefaults(ctx, place, structural, true, true)
	if err != nil {
		errs = append(errs, field.Invalid(place, "", err.Error()))
	}
	return append(errs, ruleProblems(structural, true, place)...)
}

// ruleProblems compiles each rule of a schema by itself, as the API server does.
func ruleProblems(s *schema.Structural, root bool, place *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.XValidations) > 0 {
		environments := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
		results, err := cel.Compile(s, model.SchemaDeclType(s, root), celconfig.PerCallLimit, environments, cel.StoredExpressionsEnvLoader())
		if err != nil {
			errs = append(errs, field.Invalid(place.Child("x-kubernetes-validations"), "", err.Error()))
		}
		for i, result := range results {
			if result.Error != nil {
				errs = append(errs, field.Invalid(place.Child("x-kubernetes-validations").Index(i).Child("rule"), s.XValidations[i].Rule, result.Error.Detail))
			}
		}
	}
	if s.Items != nil {
		errs = append(errs, ruleProblems(s.Items, s.Items.XEmbeddedResource, place.Child("items"))...)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
		inner := s.AdditionalProperties.Structural
		errs = append(errs, ruleProblems(inner, inner.XEmbeddedResource, place.Child("additionalProperties"))...)
	}
	for key, inner := range s.Properties {
		errs = append(errs, ruleProblems(&inner, inner.XEmbeddedResource, place.Child("properties").Key(key))...)
	}
	return errs
}

// guarded turns a panic into a problem: input that crashes a library affects only its own object.
func guarded(find func() []problem) (found []problem) {
	defer func() {
		if p := recover(); p != nil {
			found = []problem{{"", "unjudged", fmt.Sprint("the library that checks it panicked: ", p)}}
		}
	}()
	return find()
}
