package main

import (
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/robfig/cron/v3"
	"github.com/vulcand/predicate"
)

// A language is text inside a field that an operator parses after the API server took the object.
type language func(text string) error

// syntaxes says which fields hold which language: group, kind, path. `*` stands for every entry of a list.
var syntaxes = map[[2]string][]struct {
	path  string
	parse language
}{
	{"postgresql.cnpg.io", "ScheduledBackup"}:   {{"spec.schedule", cronWithSeconds}},
	{"velero.io", "Schedule"}:                   {{"spec.schedule", cronStandard}},
	{"batch", "CronJob"}:                        {{"spec.schedule", cronStandard}},
	{"argoproj.io", "AppProject"}:               {{"spec.syncWindows.*.schedule", cronStandard}},
	{"monitoring.coreos.com", "PrometheusRule"}: {{"spec.groups.*.rules.*.expr", promQL}},
	{"traefik.io", "IngressRoute"}:              {{"spec.routes.*.match", httpRule}},
	{"traefik.io", "IngressRouteTCP"}:           {{"spec.routes.*.match", tcpRule}},
	{"keda.sh", "ScaledObject"}:                 {{"spec.triggers.*.metadata.start", cronStandard}, {"spec.triggers.*.metadata.end", cronStandard}},
}

// syntaxProblems parses the fields of an object that hold a language of their own.
func syntaxProblems(group, kind string, object map[string]any) []problem {
	var found []problem
	for _, s := range syntaxes[[2]string{group, kind}] {
		visit(object, strings.Split(s.path, "."), "", func(path, text string) {
			if err := s.parse(text); err != nil {
				found = append(found, problem{path, "syntax", err.Error()})
			}
		})
	}
	return found
}

func visit(v any, steps []string, path string, report func(path, text string)) {
	if len(steps) == 0 {
		if text, ok := v.(string); ok {
			report(path, text)
		}
		return
	}
	if steps[0] == "*" {
		list, _ := v.([]any)
		for i, item := range list {
			visit(item, steps[1:], fmt.Sprintf("%s[%d]", path, i), report)
		}
		return
	}
	fields, _ := v.(map[string]any)
	if inner, ok := fields[steps[0]]; ok {
		visit(inner, steps[1:], strings.TrimPrefix(path+"."+steps[0], "."), report)
	}
}

// cronStandard is the parser of Velero, Argo CD, KEDA and the CronJob controller.
func cronStandard(text string) error {
	_, err := cron.ParseStandard(text)
	return err
}

// CloudNativePG parses with seconds first (api/v1, ScheduledBackup webhook); cron.Parse would also take five fields
// and then read the first one as seconds, which runs a nightly backup hourly.
var sixFields = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

func cronWithSeconds(text string) error {
	_, err := sixFields.Parse(text)
	return err
}

var promParser = parser.NewParser(parser.Options{})

func promQL(text string) error {
	_, err := promParser.ParseExpr(text)
	return err
}

// matcher checks the values of one call in a rule.
type matcher struct {
	least, most int
	check       func(values []string) error
}

// Traefik parses rules with the same library; names, numbers of values and their checks are those of its
// pkg/muxer/http/matcher.go and pkg/muxer/tcp/matcher.go (v3).
var (
	httpMatchers = map[string]matcher{
		"Host": {1, 1, ascii}, "HostRegexp": {1, 1, expression}, "ClientIP": {1, 1, addresses},
		"Path": {1, 1, rooted}, "PathPrefix": {1, 1, rooted}, "PathRegexp": {1, 1, expression},
		"Method": {1, 1, nil}, "Header": {2, 2, nil}, "HeaderRegexp": {2, 2, lastExpression},
		"Query": {1, 2, nil}, "QueryRegexp": {1, 2, lastExpression},
	}
	tcpMatchers = map[string]matcher{
		"HostSNI": {1, 1, ascii}, "HostSNIRegexp": {1, 1, expression}, "ClientIP": {1, 1, addresses}, "ALPN": {1, 1, nil},
	}
)

func httpRule(text string) error { return rule(text, httpMatchers) }
func tcpRule(text string) error  { return rule(text, tcpMatchers) }

// rule parses a routing rule, and runs every call in it through its check.
func rule(text string, matchers map[string]matcher) error {
	type check func() error
	both := func(left, right check) check {
		return func() error {
			if err := left(); err != nil {
				return err
			}
			return right()
		}
	}
	functions := map[string]any{}
	for name, m := range matchers {
		call := func(values ...string) check {
			return func() error {
				if len(values) < m.least || len(values) > m.most {
					return fmt.Errorf("%s takes %s, not %d", name, count(m.least, m.most), len(values))
				}
				if m.check == nil {
					return nil
				}
				if err := m.check(values); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			}
		}
		for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			functions[spelling] = call
		}
	}
	p, err := predicate.NewParser(predicate.Def{
		Operators: predicate.Operators{AND: both, OR: both, NOT: func(c check) check { return c }},
		Functions: functions,
	})
	if err != nil {
		return err
	}
	parsed, err := p.Parse(text)
	if err != nil {
		return fmt.Errorf("%q is no rule: %s", text, strings.TrimSpace(strings.Split(err.Error(), "\n")[0]))
	}
	run, ok := parsed.(check)
	if !ok {
		return fmt.Errorf("%q is no rule", text)
	}
	return run()
}

func count(least, most int) string {
	switch {
	case least != most:
		return fmt.Sprintf("%d or %d values", least, most)
	case least == 1:
		return "1 value"
	}
	return fmt.Sprintf("%d values", least)
}

func ascii(values []string) error {
	for _, r := range values[0] {
		if r > 0x7f {
			return fmt.Errorf("%q has letters outside of ASCII", values[0])
		}
	}
	return nil
}

func rooted(values []string) error {
	if !strings.HasPrefix(values[0], "/") {
		return fmt.Errorf("the path %q does not start with a '/'", values[0])
	}
	return nil
}

func expression(values []string) error {
	_, err := regexp.Compile(values[0])
	return err
}

func lastExpression(values []string) error { return expression(values[len(values)-1:]) }

func addresses(values []string) error {
	if _, _, err := net.ParseCIDR(values[0]); err != nil && net.ParseIP(values[0]) == nil {
		return fmt.Errorf("%q is neither an address nor a range", values[0])
	}
	return nil
}
