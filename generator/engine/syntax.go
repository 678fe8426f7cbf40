package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// A parse reads text inside a field that an operator parses after the API server accepted the object.
type parse func(text string) error

// syntaxes says which fields hold which language: group, kind, path. `*` stands for every entry of a list.
var syntaxes = map[[2]string][]struct {
	path  string
	parse parse
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
			if len(text) > maxLanguageBytes {
				found = append(found, problem{path, kindSyntax, fmt.Sprintf("is over %d KiB long", maxLanguageBytes>>10)})
				return
			}
			found = append(found, guarded(func() []problem {
				err := s.parse(text)
				switch {
				case errors.Is(err, errNeverRuns):
					return []problem{{path, kindNever, err.Error()}}
				case err != nil:
					return []problem{{path, kindSyntax, err.Error()}}
				}
				return nil
			})...)
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

func cronStandard(text string) error    { return cronRuns(text, false) }
func cronWithSeconds(text string) error { return cronRuns(text, true) }

// cronRuns parses a schedule, and looks for a time when it runs.
func cronRuns(text string, seconds bool) error {
	schedule, err := parseCron(text, seconds)
	if err == nil && neverRuns(schedule) {
		return errNeverRuns
	}
	return err
}

var promParser = parser.NewParser(parser.Options{})

func promQL(text string) error {
	_, err := promParser.ParseExpr(text)
	return err
}

// matcher checks the arguments of one call in a rule.
type matcher struct {
	least, most int
	check       func(values []string) error
	path        func(value string) string // an expression of the paths that it asks for; nil when it asks for none
}

// Names, numbers of values and their checks are those of Traefik's pkg/muxer/http/matcher.go and
// pkg/muxer/tcp/matcher.go (v3).
var (
	httpRules = newRuleLanguage(map[string]matcher{
		"Host": {1, 1, ascii, nil}, "HostRegexp": {1, 1, asciiExpression, nil}, "ClientIP": {1, 1, addresses, nil},
		"Path": {1, 1, rooted, wholePath}, "PathPrefix": {1, 1, rooted, pathStart}, "PathRegexp": {1, 1, expression, asWritten},
		"Method": {1, 1, nil, nil}, "Header": {2, 2, nil, nil}, "HeaderRegexp": {2, 2, lastExpression, nil},
		"Query": {1, 2, nil, nil}, "QueryRegexp": {1, 2, secondExpression, nil},
	})
	tcpRules = newRuleLanguage(map[string]matcher{
		"HostSNI": {1, 1, ascii, nil}, "HostSNIRegexp": {1, 1, expression, nil}, "ClientIP": {1, 1, addresses, nil}, "ALPN": {1, 1, nil, nil},
	})
)

func httpRule(text string) error {
	_, err := httpRules.parse(text)
	return err
}

func tcpRule(text string) error {
	_, err := tcpRules.parse(text)
	return err
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
			return fmt.Errorf("%q has characters outside ASCII", values[0])
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

func asciiExpression(values []string) error {
	if err := ascii(values); err != nil {
		return err
	}
	return expression(values)
}

func lastExpression(values []string) error { return expression(values[len(values)-1:]) }

// secondExpression leaves a query's name alone, which is no expression.
func secondExpression(values []string) error {
	if len(values) < 2 {
		return nil
	}
	return expression(values[1:])
}

func addresses(values []string) error {
	if _, _, err := net.ParseCIDR(values[0]); err != nil && net.ParseIP(values[0]) == nil {
		return fmt.Errorf("%q is neither an address nor a range", values[0])
	}
	return nil
}
