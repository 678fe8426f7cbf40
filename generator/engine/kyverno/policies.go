package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	policiesv1beta1 "github.com/kyverno/api/api/policies.kyverno.io/v1beta1"
	celengine "github.com/kyverno/kyverno/pkg/cel/engine"
	"github.com/kyverno/kyverno/pkg/cel/libs"
	"github.com/kyverno/kyverno/pkg/cel/matching"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	"github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"tenantry.io/wire"
)

// apiVersions are those in which the kinds that we read are served.
var apiVersions = []string{"policies.kyverno.io/v1", "policies.kyverno.io/v1beta1"}

// policySet holds the policies of the run, each compiled once together with what Kyverno generates from it for Pod
// controllers, and the exceptions that lift it.
type policySet struct {
	mutex    sync.RWMutex
	policies []compiled
}

type compiled struct {
	name     string
	variants engine.ProviderFunc // the policy and what Kyverno generates from it for the kinds that make Pods
}

// loaded says of one policy or exception why it can't be used; nothing when it can.
type loaded struct {
	Name  string `json:"name"`
	Error string `json:"error,omitempty"`
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
		result["exceptions"] = append(result["exceptions"], told(exception.Name, err))
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
				usable[i], err = compile(&policy, exceptions)
			}
			reports[i] = told(policy.Name, err)
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

func told(name string, err error) loaded {
	if err != nil {
		return loaded{name, err.Error()}
	}
	return loaded{Name: name}
}

func strictly(text json.RawMessage, kind string, into any) error {
	var head metav1.TypeMeta
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	if head.Kind != kind || !slices.Contains(apiVersions, head.APIVersion) {
		return fmt.Errorf("%s %s is no %s of policies.kyverno.io", head.APIVersion, head.Kind, kind)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// compile makes an engine of one policy, as the stock command line makes one of all: so that an error in one policy
// does not take the others with it.
func compile(policy *policiesv1beta1.ValidatingPolicy, exceptions []*policiesv1beta1.PolicyException) (*compiled, error) {
	provider, err := engine.NewProvider(compiler.NewCompiler(), []policiesv1beta1.ValidatingPolicyLike{policy}, exceptions)
	if err != nil {
		return nil, err
	}
	return &compiled{policy.Name, provider}, nil
}

// outcome is what one policy says of one object; there is none where it does not match.
type outcome struct {
	Policy  string `json:"policy"`
	Status  string `json:"status"` // pass, fail, skip, error
	Message string `json:"message"`
	Index   string `json:"index,omitempty"` // of the validation that failed
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
	engines := make([]engine.Engine, len(policies))
	for i, policy := range policies {
		engines[i] = engine.NewEngine(policy.variants, namespace, matching.NewMatcher())
	}
	result := make([][]outcome, len(input.Objects))
	for i, text := range input.Objects {
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			return nil, wire.Usage(err)
		}
		result[i] = []outcome{}
		request := created(&object)
		for k, policy := range policies {
			answer, err := engines[k].Handle(ctx, request, nil)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", policy.name, object.GetName(), err)
			}
			result[i] = append(result[i], outcomes(policy.name, answer)...)
		}
	}
	return map[string]any{"outcomes": result}, nil
}

func outcomes(policy string, answer engine.EngineResponse) []outcome {
	found := []outcome{}
	for _, variant := range answer.Policies {
		for _, rule := range variant.Rules {
			found = append(found, outcome{policy, string(rule.Status()), rule.Message(), rule.Properties()["cel.validationIndex"]})
		}
	}
	return found
}

// created is the request of an API server that is asked to create the object, with the plural of its kind guessed as
// the stock command line guesses it where it knows no cluster.
func created(object *unstructured.Unstructured) celengine.EngineRequest {
	kind := object.GroupVersionKind()
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	return celengine.Request(
		libs.GetLibsCtx(), kind, resource, "", object.GetName(), object.GetNamespace(),
		admissionv1.Create, authenticationv1.UserInfo{}, object, nil, false, nil,
	)
}
