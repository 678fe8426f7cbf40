package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"tenantry.io/wire"
)

// apiVersions are those in which the kinds that we read are served.
var apiVersions = []string{"policies.kyverno.io/v1", "policies.kyverno.io/v1beta1"}

// policySet holds the policies that are judged by, each compiled together with what Kyverno generates from it for Pod
// controllers, and the exceptions that lift it.
type policySet struct {
	mutex    sync.RWMutex
	policies []compiled
	known    sync.Map // text of a policy -> *compiled without exceptions: loading it again costs nothing
}

type compiled struct {
	name     string
	variants []engine.Policy // the policy and what Kyverno generates from it for the kinds that make Pods
	asks     bool            // whether an expression may look at the request
}

// loaded says of one policy or exception why it can't be used; nothing when it can.
type loaded struct {
	Name  string `json:"name"`
	Kind  string `json:"kind,omitempty"`
	Error string `json:"error,omitempty"`
}

// Kinds of reasons why a policy or exception can't be used.
const (
	kindOther      = "kind"       // an object of another kind or version
	kindField      = "field"      // a field that the kind does not have, or of another type
	kindExpression = "expression" // CEL that does not compile, or that Kyverno can't work with
)

// unusable is an error with its kind.
type unusable struct {
	kind string
	error
}

// load compiles policies; they replace those that were there. What Kyverno would silently leave out is told: an
// unknown field, another kind or version, an expression that does not compile.
func (s *policySet) load(_ context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Policies   []json.RawMessage `json:"policies"`
		Exceptions []json.RawMessage `json:"exceptions"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	result := map[string][]loaded{"policies": {}, "exceptions": {}}
	exceptions := []*policiesv1beta1.PolicyException{}
	for _, text := range input.Exceptions {
		var exception policiesv1beta1.PolicyException
		err := strictly(text, "PolicyException", &exception)
		if err == nil {
			exceptions = append(exceptions, &exception)
		}
		result["exceptions"] = append(result["exceptions"], report(exception.Name, err))
	}
	usable := make([]*compiled, len(input.Policies))
	reports := make([]loaded, len(input.Policies))
	var working sync.WaitGroup
	for i, text := range input.Policies {
		working.Add(1)
		go func() { // an environment for expressions takes 20 ms to make
			defer working.Done()
			var policy policiesv1beta1.ValidatingPolicy
			err := strictly(text, "ValidatingPolicy", &policy)
			if err == nil {
				usable[i], err = s.compiled(&policy, text, exceptions)
			}
			reports[i] = report(policy.Name, err)
		}()
	}
	working.Wait()
	result["policies"] = reports
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.policies = nil
	for _, policy := range usable {
		if policy != nil {
			s.policies = append(s.policies, *policy)
		}
	}
	return result, nil
}

func report(name string, err error) loaded {
	if err == nil {
		return loaded{Name: name}
	}
	reason := loaded{name, kindExpression, err.Error()}
	var known unusable
	if errors.As(err, &known) {
		reason.Kind = known.kind
	}
	return reason
}

func strictly(text json.RawMessage, kind string, into any) error {
	var head metav1.TypeMeta
	if err := json.Unmarshal(text, &head); err != nil {
		return unusable{kindField, err}
	}
	if head.Kind != kind || !slices.Contains(apiVersions, head.APIVersion) {
		return unusable{kindOther, fmt.Errorf("%s %s is no %s of policies.kyverno.io", head.APIVersion, head.Kind, kind)}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return unusable{kindField, err}
	}
	return nil
}

// compiled gives a policy with those of the exceptions that name it. Without any, it is compiled once.
func (s *policySet) compiled(
	policy *policiesv1beta1.ValidatingPolicy, text json.RawMessage, exceptions []*policiesv1beta1.PolicyException,
) (*compiled, error) {
	named := slices.ContainsFunc(exceptions, func(e *policiesv1beta1.PolicyException) bool {
		return slices.ContainsFunc(e.Spec.PolicyRefs, func(r policiesv1beta1.PolicyRef) bool { return r.Name == policy.Name })
	})
	if before, ok := s.known.Load(string(text)); ok && !named {
		return before.(*compiled), nil
	}
	made, err := compile(policy, exceptions)
	if err != nil {
		return nil, err
	}
	made.asks = asksForRequest.Match(text)
	if !named {
		s.known.Store(string(text), made)
	}
	return made, nil
}

// compile makes an engine of one policy, as the stock command line makes one of all: so that an error in one policy
// does not take the others with it.
func compile(policy *policiesv1beta1.ValidatingPolicy, exceptions []*policiesv1beta1.PolicyException) (*compiled, error) {
	provider, err := engine.NewProvider(compiler.NewCompiler(), []policiesv1beta1.ValidatingPolicyLike{policy}, exceptions)
	if err != nil {
		return nil, err
	}
	variants, err := provider.Fetch(context.Background())
	if err != nil {
		return nil, err
	}
	return &compiled{name: policy.Name, variants: variants}, nil
}

// asksForRequest finds the variable in the text of a policy.
var asksForRequest = regexp.MustCompile(`\brequest\b`)

// lean is an object that is not written out with the request that it comes in. Kyverno turns the whole request into a
// value for each policy, which costs ten times what judging does, and few policies look at it.
type lean struct{ *unstructured.Unstructured }

func (lean) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// meant leaves the variants whose rules name the resource. Kyverno's matcher would say the same of the others, but only
// after it has made a request of its own for each.
func (c compiled) meant(resource schema.GroupVersionResource) []engine.Policy {
	var found []engine.Policy
	for _, variant := range c.variants {
		constraints := variant.CompiledPolicy.MatchConstraints()
		if constraints == nil {
			continue
		}
		if len(constraints.ResourceRules) == 0 || slices.ContainsFunc(constraints.ResourceRules, func(rule admissionregistrationv1.NamedRuleWithOperations) bool {
			return names(rule.APIGroups, resource.Group) && names(rule.APIVersions, resource.Version) && names(rule.Resources, resource.Resource)
		}) {
			found = append(found, variant)
		}
	}
	return found
}

// names says whether a list could mean a value; what holds a wildcard could.
func names(list []string, value string) bool {
	return slices.ContainsFunc(list, func(entry string) bool { return entry == value || strings.Contains(entry, "*") })
}

// outcome is what one policy says of one object; there is none where it does not match.
type outcome struct {
	Policy   string `json:"policy"`
	Status   string `json:"status"` // pass, fail, skip, error
	Message  string `json:"message"`
	Index    string `json:"index,omitempty"`    // of the validation that failed
	Excepted bool   `json:"excepted,omitempty"` // a PolicyException decided, not the policy
}

// judge gives the outcomes for each object, in order. A namespace's labels come with the request.
func (s *policySet) judge(ctx context.Context, params json.RawMessage) (any, error) {
	var input struct {
		Objects    []json.RawMessage            `json:"objects"`
		Namespaces map[string]map[string]string `json:"namespaces"`
	}
	if err := json.Unmarshal(params, &input); err != nil {
		return nil, wire.Usage(err)
	}
	s.mutex.RLock()
	policies := s.policies
	s.mutex.RUnlock()
	namespace := func(name string) *corev1.Namespace {
		labels, ok := input.Namespaces[name]
		if !ok {
			return nil
		}
		return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	}
	byResource := map[schema.GroupVersionResource][]selected{}
	result := make([][]outcome, len(input.Objects))
	for i, text := range input.Objects {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, wire.Usage(err)
		}
		kind := object.GroupVersionKind()
		resource, _ := meta.UnsafeGuessKindToResource(kind)
		engines, ok := byResource[resource]
		if !ok {
			engines = choose(policies, resource, namespace)
			byResource[resource] = engines
		}
		result[i] = []outcome{}
		full, short := created(&object, kind, resource, &object), created(&object, kind, resource, lean{&object})
		for _, policy := range engines {
			request := short
			if policy.asks {
				request = full
			}
			answer, err := policy.engine.Handle(ctx, request, nil)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", policy.name, object.GetName(), err)
			}
			result[i] = append(result[i], outcomes(policy.name, answer)...)
		}
	}
	return map[string]any{"outcomes": result}, nil
}

// selected is a policy with those of its variants that can meet a resource.
type selected struct {
	name   string
	asks   bool
	engine engine.Engine
}

func choose(policies []compiled, resource schema.GroupVersionResource, namespace func(string) *corev1.Namespace) []selected {
	found := []selected{}
	for _, policy := range policies {
		variants := policy.meant(resource)
		if len(variants) > 0 {
			fetch := engine.ProviderFunc(func(context.Context) ([]engine.Policy, error) { return variants, nil })
			found = append(found, selected{policy.name, policy.asks, engine.NewEngine(fetch, namespace, matching.NewMatcher())})
		}
	}
	return found
}

func outcomes(policy string, answer engine.EngineResponse) []outcome {
	found := []outcome{}
	for _, variant := range answer.Policies {
		for _, rule := range variant.Rules {
			found = append(found, outcome{policy, string(rule.Status()), rule.Message(), rule.Properties()["cel.validationIndex"], rule.IsException()})
		}
	}
	return found
}

// created is the request of an API server that is asked to create the object, with the plural of its kind guessed as
// the stock command line guesses it where it knows no cluster.
func created(
	object *unstructured.Unstructured, kind schema.GroupVersionKind, resource schema.GroupVersionResource, content runtime.Object,
) celengine.EngineRequest {
	return celengine.Request(
		libs.GetLibsCtx(), kind, resource, "", object.GetName(), object.GetNamespace(),
		admissionv1.Create, authenticationv1.UserInfo{}, content, nil, false, nil,
	)
}
