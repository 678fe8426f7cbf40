package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"tenantry.io/wire"
)

type object = map[string]any

// policy is a ValidatingPolicy over one resource of apps/v1 or v1 with the given fields of `spec` besides.
func policy(name, resource, expression string, more object) object {
	group := "apps"
	if resource == "pods" || resource == "configmaps" {
		group = ""
	}
	spec := object{
		"matchConstraints": object{"resourceRules": []any{object{
			"apiGroups": []any{group}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE"}, "resources": []any{resource},
		}}},
		"validations": []any{object{"expression": expression, "message": name + " refuses"}},
	}
	for key, value := range more {
		spec[key] = value
	}
	return object{"apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy", "metadata": object{"name": name}, "spec": spec}
}

func exception(name, of, condition string) object {
	return object{
		"apiVersion": "policies.kyverno.io/v1", "kind": "PolicyException", "metadata": object{"name": name, "namespace": "a"},
		"spec": object{
			"policyRefs":      []any{object{"name": of, "kind": "ValidatingPolicy"}},
			"matchConditions": []any{object{"name": "here", "expression": condition}},
		},
	}
}

func configMap(namespace, name string, data object) object {
	return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name, "namespace": namespace}, "data": data}
}

func deployment(namespace string, labels object, image string) object {
	pod := object{"metadata": object{"labels": labels}, "spec": object{"containers": []any{object{"name": "a", "image": image}}}}
	return object{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": "d", "namespace": namespace, "labels": labels},
		"spec": object{"replicas": 1, "selector": object{"matchLabels": labels}, "template": pod},
	}
}

// load gives the reports by name of what was loaded.
func load(t *testing.T, s *policySet, policies, exceptions []any) map[string]loaded {
	t.Helper()
	params, _ := json.Marshal(object{"policies": policies, "exceptions": exceptions})
	answer, err := s.load(context.Background(), params)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]loaded{}
	for _, reports := range answer.(map[string][]loaded) {
		for _, report := range reports {
			found[report.Name] = report
		}
	}
	return found
}

// loadAll fails when one of the policies can't be used.
func loadAll(t *testing.T, policies []any, exceptions ...any) *policySet {
	t.Helper()
	s := &policySet{}
	for name, report := range load(t, s, policies, exceptions) {
		if report.Error != "" {
			t.Fatalf("%s: %+v", name, report)
		}
	}
	return s
}

func ask(s *policySet, namespaces map[string]map[string]string, objects ...object) ([][]outcome, error) {
	params, _ := json.Marshal(object{"objects": objects, "namespaces": namespaces})
	answer, err := s.judge(context.Background(), params)
	if err != nil {
		return nil, err
	}
	return answer.(map[string]any)["outcomes"].([][]outcome), nil
}

// judged is "policy status" of each outcome on one object.
func judged(t *testing.T, s *policySet, namespaces map[string]map[string]string, of object) string {
	t.Helper()
	found, err := ask(s, namespaces, of)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for _, o := range found[0] {
		texts = append(texts, o.Policy+" "+o.Status)
	}
	return strings.Join(texts, ", ")
}

func TestWhatCannotBeUsedSaysItsKind(t *testing.T) {
	changed := func(change func(p object)) object {
		p := policy("p", "configmaps", "true", nil)
		change(p)
		return p
	}
	spec := func(p object) object { return p["spec"].(object) }
	for name, c := range map[string]struct {
		policy any
		kind   string
	}{
		"good":               {policy("p", "configmaps", "true", nil), ""},
		"older version":      {changed(func(p object) { p["apiVersion"] = "policies.kyverno.io/v1beta1" }), ""},
		"another kind":       {changed(func(p object) { p["kind"] = "ClusterPolicy" }), kindOther},
		"another version":    {changed(func(p object) { p["apiVersion"] = "policies.kyverno.io/v9" }), kindOther},
		"no kind":            {object{"metadata": object{"name": "p"}}, kindOther},
		"no object":          {[]any{1}, kindField},
		"text for a kind":    {object{"kind": 1}, kindField},
		"unknown field":      {changed(func(p object) { spec(p)["validation"] = []any{} }), kindField},
		"wrong type":         {changed(func(p object) { spec(p)["validations"] = "x" }), kindField},
		"no CEL":             {policy("p", "configmaps", "object.", nil), kindExpression},
		"no boolean":         {policy("p", "configmaps", "'x'", nil), kindExpression},
		"unknown variable":   {policy("p", "configmaps", "objekt == 1", nil), kindExpression},
		"condition":          {policy("p", "configmaps", "true", object{"matchConditions": []any{object{"name": "a", "expression": "1"}}}), kindExpression},
		"variable":           {policy("p", "configmaps", "true", object{"variables": []any{object{"name": "a", "expression": "("}}}), kindExpression},
		"message expression": {policy("p", "configmaps", "true", object{"validations": []any{object{"expression": "true", "messageExpression": "1 +"}}}), kindExpression},
	} {
		s := &policySet{}
		params, _ := json.Marshal(object{"policies": []any{c.policy, policy("beside", "configmaps", "true", nil)}})
		answer, err := s.load(context.Background(), params)
		if err != nil {
			t.Fatal(name, err)
		}
		reports := answer.(map[string][]loaded)["policies"]
		if reports[0].Kind != c.kind || (reports[0].Error == "") != (c.kind == "") {
			t.Errorf("%s: got %+v, want the kind %q", name, reports[0], c.kind)
		}
		if reports[1].Error != "" || !strings.Contains(judged(t, s, nil, configMap("a", "c", nil)), "beside pass") {
			t.Errorf("%s: the policy beside it is lost: %+v", name, reports[1])
		}
	}
}

func TestAnExceptionThatCannotBeUsedSaysItsKind(t *testing.T) {
	wrong, unknown := exception("wrong", "p", "true"), exception("unknown", "p", "true")
	wrong["kind"] = "ClusterException"
	unknown["spec"].(object)["until"] = "tomorrow"
	reports := load(t, &policySet{}, nil, []any{wrong, unknown, exception("good", "p", "true")})
	if reports["good"].Error != "" || reports["unknown"].Kind != kindField || reports[""].Kind != kindOther {
		t.Errorf("got %+v", reports)
	}
	// Kyverno compiles an exception with the policy that it lifts.
	reports = load(t, &policySet{}, []any{policy("p", "configmaps", "true", nil)}, []any{exception("good", "p", "1 +")})
	if reports["p"].Kind != kindExpression {
		t.Errorf("got %+v", reports)
	}
}

func TestAPolicyPassesFailsErrsAndLeavesOut(t *testing.T) {
	s := loadAll(t, []any{
		policy("key", "configmaps", "object.data.key == 'good'", nil),
		policy("other", "deployments", "false", nil),
	})
	for _, c := range []struct {
		of   object
		want outcome
	}{
		{configMap("a", "c", object{"key": "good"}), outcome{Policy: "key", Status: "pass", Message: "success"}},
		{configMap("a", "c", object{"key": "bad"}), outcome{Policy: "key", Status: "fail", Message: "key refuses", Index: "0"}},
		{configMap("a", "c", object{}), outcome{Policy: "key", Status: "error", Message: "error: no such key: key", Index: "0"}},
	} {
		found, err := ask(s, nil, c.of)
		if err != nil || len(found[0]) != 1 || found[0][0] != c.want {
			t.Errorf("got %+v, %v, want %+v", found, err, c.want)
		}
	}
	if told := judged(t, s, nil, object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "s", "namespace": "a"}}); told != "" {
		t.Errorf("a kind that no policy names: %s", told)
	}
}

func TestTheFirstValidationThatFailsIsNamed(t *testing.T) {
	validations := []any{
		object{"expression": "true", "message": "never"}, object{"expression": "false", "messageExpression": "'by ' + object.metadata.name"}, object{"expression": "false"},
	}
	s := loadAll(t, []any{policy("p", "configmaps", "true", object{"validations": validations})})
	found, err := ask(s, nil, configMap("a", "c", nil))
	if want := (outcome{Policy: "p", Status: "fail", Message: "by c", Index: "1"}); err != nil || found[0][0] != want {
		t.Errorf("got %+v, %v, want %+v", found, err, want)
	}
}

func TestWhatAConditionLeavesOutIsSkippedWithoutAnException(t *testing.T) {
	conditions := []any{object{"name": "a", "expression": "object.metadata.name != 'out'"}}
	s := loadAll(t, []any{policy("p", "configmaps", "false", object{"matchConditions": conditions})})
	found, err := ask(s, nil, configMap("a", "out", nil), configMap("a", "in", nil))
	if err != nil || found[0][0].Status != "skip" || found[0][0].Excepted || found[1][0].Status != "fail" {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestAnExceptionLiftsItsPolicyWhereItsConditionHolds(t *testing.T) {
	lift := exception("lift", "p", "object.metadata.namespace == 'a'")
	s := loadAll(t, []any{policy("p", "configmaps", "false", nil), policy("q", "configmaps", "false", nil)}, lift)
	found, err := ask(s, nil, configMap("a", "c", nil), configMap("b", "exception", nil))
	if err != nil {
		t.Fatal(err)
	}
	lifted, stands, elsewhere := found[0][0], found[0][1], found[1][0]
	if lifted.Status != "skip" || !lifted.Excepted || !strings.Contains(lifted.Message, "a/lift") {
		t.Errorf("got %+v", lifted)
	}
	if stands.Status != "fail" || stands.Excepted || elsewhere.Status != "fail" || elsewhere.Excepted {
		t.Errorf("got %+v and %+v", stands, elsewhere)
	}
}

func TestNamespacesAreChosenByTheLabelsOfTheRequest(t *testing.T) {
	constraints := policy("p", "configmaps", "false", nil)["spec"].(object)["matchConstraints"].(object)
	constraints["namespaceSelector"] = object{"matchLabels": object{"guarded": "yes"}}
	s := loadAll(t, []any{policy("p", "configmaps", "false", object{"matchConstraints": constraints})})
	namespaces := map[string]map[string]string{"a": {"guarded": "yes"}, "b": {"guarded": "no"}}
	for namespace, want := range map[string]string{"a": "p fail", "b": "", "unheard": ""} {
		if told := judged(t, s, namespaces, configMap(namespace, "c", nil)); told != want {
			t.Errorf("%s: got %q, want %q", namespace, told, want)
		}
	}
	if told := judged(t, s, map[string]map[string]string{"b": {"guarded": "yes"}}, configMap("b", "c", nil)); told != "p fail" {
		t.Errorf("labels of an earlier request were used: %q", told)
	}
}

func TestANamespacesLabelsAreReadInExpressions(t *testing.T) {
	s := loadAll(t, []any{policy("p", "configmaps", "namespaceObject.metadata.labels['tier'] == 'one'", nil)})
	namespaces := map[string]map[string]string{"a": {"tier": "one"}, "b": {"tier": "two"}}
	for namespace, want := range map[string]string{"a": "p pass", "b": "p fail"} {
		if told := judged(t, s, namespaces, configMap(namespace, "c", nil)); told != want {
			t.Errorf("%s: got %q, want %q", namespace, told, want)
		}
	}
}

func TestAPolicyForPodsGuardsWhatMakesPods(t *testing.T) {
	s := loadAll(t, []any{policy("p", "pods", "object.spec.containers.all(c, c.image.contains('@sha256:'))", nil)})
	labels := object{"app": "a"}
	for image, want := range map[string]string{"r/a@sha256:0": "p pass", "r/a:latest": "p fail"} {
		if told := judged(t, s, nil, deployment("a", labels, image)); told != want {
			t.Errorf("%s: got %q, want %q", image, told, want)
		}
	}
}

func TestAPolicyThatAsksForTheRequestGetsAllOfIt(t *testing.T) {
	s := loadAll(t, []any{policy("p", "configmaps", "request.object.data.key == 'good' && request.namespace == 'a' && request.operation == 'CREATE'", nil)})
	if told := judged(t, s, nil, configMap("a", "c", object{"key": "good"})); told != "p pass" {
		t.Errorf("got %q", told)
	}
}

func TestPoliciesReplaceThoseBefore(t *testing.T) {
	s := loadAll(t, []any{policy("old", "configmaps", "true", nil)})
	load(t, s, []any{policy("new", "configmaps", "true", nil)}, nil)
	if told := judged(t, s, nil, configMap("a", "c", nil)); told != "new pass" {
		t.Errorf("got %q", told)
	}
}

func TestAnExceptionOfAnEarlierSetLiftsNothing(t *testing.T) {
	s := &policySet{}
	rule := policy("rule", "configmaps", "false", nil)
	for _, round := range []struct {
		exceptions []any
		status     string
	}{{nil, "fail"}, {[]any{exception("lift", "rule", "true")}, "skip"}, {nil, "fail"}, {[]any{exception("lift", "other", "true")}, "fail"}} {
		load(t, s, []any{rule}, round.exceptions)
		if told := judged(t, s, nil, configMap("a", "c", nil)); told != "rule "+round.status {
			t.Errorf("with %v: %s, not %s", round.exceptions, told, round.status)
		}
	}
}

func TestAPolicyThatWasLoadedBeforeIsNotCompiledAgain(t *testing.T) {
	s := &policySet{}
	load(t, s, []any{policy("rule", "configmaps", "false", nil)}, nil)
	first := s.policies[0].variants[0].CompiledPolicy
	load(t, s, []any{policy("other", "configmaps", "true", nil), policy("rule", "configmaps", "false", nil)}, nil)
	if s.policies[1].variants[0].CompiledPolicy != first {
		t.Error("it was compiled once more")
	}
	load(t, s, []any{policy("rule", "configmaps", "true", nil)}, nil)
	if s.policies[0].variants[0].CompiledPolicy == first {
		t.Error("another policy of the same name is not it")
	}
}

func TestWhatIsNoObjectIsMisuse(t *testing.T) {
	s := loadAll(t, []any{policy("p", "configmaps", "true", nil)})
	for _, params := range []string{`{"objects": [{"metadata": {}}]}`, `{"objects": [1]}`, `{"objects": 1}`, `[]`} {
		_, err := s.judge(context.Background(), json.RawMessage(params))
		var known *wire.Error
		if !errors.As(err, &known) || known.Kind != wire.KindUsage {
			t.Errorf("%s: %v", params, err)
		}
	}
	for _, params := range []string{`{"policies": 1}`, `[]`} {
		if _, err := s.load(context.Background(), json.RawMessage(params)); err == nil {
			t.Errorf("%s was loaded", params)
		}
	}
}

func TestManyRequestsAtOnceGetTheAnswersOfOneAlone(t *testing.T) {
	policies := []any{}
	for number := range 5 {
		policies = append(policies, policy(fmt.Sprint("p", number), "configmaps", fmt.Sprintf("object.data.n != '%d'", number), nil))
	}
	s := loadAll(t, policies, exception("lift", "p1", "object.metadata.namespace == 'lifted'"))
	objects := []object{}
	for number := range 20 {
		objects = append(objects, configMap([]string{"a", "lifted"}[number%2], "c", object{"n": fmt.Sprint(number % 7)}))
	}
	want, err := ask(s, nil, objects...)
	if err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	for range 24 {
		working.Go(func() {
			if got, err := ask(s, nil, objects...); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	working.Wait()
}

func TestARequestSeesTheOldPoliciesOrTheNewOnesNeverSomeOfEach(t *testing.T) {
	sets := map[string][]any{}
	for _, name := range []string{"old", "new"} {
		for number := range 4 {
			sets[name] = append(sets[name], policy(fmt.Sprint(name, number), "configmaps", "true", nil))
		}
	}
	s := loadAll(t, sets["old"])
	objects := []object{configMap("a", "c", nil), configMap("a", "d", nil)}
	var working sync.WaitGroup
	for number := range 12 {
		working.Go(func() {
			if number%4 == 0 {
				params, _ := json.Marshal(object{"policies": sets[[]string{"old", "new"}[number/4%2]]})
				if _, err := s.load(context.Background(), params); err != nil {
					t.Error(err)
				}
				return
			}
			found, err := ask(s, nil, objects...)
			if err != nil {
				t.Error(err)
				return
			}
			seen := map[string]bool{}
			for _, outcomes := range found {
				for _, o := range outcomes {
					seen[o.Policy[:3]] = true
				}
			}
			if len(seen) != 1 || len(found[0]) != 4 || len(found[1]) != 4 {
				t.Errorf("got %+v", found)
			}
		})
	}
	working.Wait()
}

func TestAnEmptySetJudgesNothing(t *testing.T) {
	found, err := ask(&policySet{}, nil, configMap("a", "c", nil))
	if err != nil || len(found) != 1 || len(found[0]) != 0 {
		t.Errorf("got %+v, %v", found, err)
	}
}
