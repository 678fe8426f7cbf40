package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	kubernetesjson "k8s.io/apimachinery/pkg/util/json"
	kubernetesyaml "sigs.k8s.io/yaml"
)

// readByUs gives the value of a text as the engine reads it.
func readByUs(text string) (any, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	return value(&document)
}

// readByKubectl gives the value that kubectl and Argo CD send for a text.
func readByKubectl(text string) (any, error) {
	converted, err := kubernetesyaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	var result any
	return result, kubernetesjson.Unmarshal(converted, &result)
}

// sameScalar compares both readings of a scalar, as a value, as a key, and in canonical YAML.
func sameScalar(t *testing.T, scalar string) {
	t.Helper()
	for _, text := range []string{"v: " + scalar + "\n", "[" + scalar + "]\n", scalar + ": x\n"} {
		theirs, refused := readByKubectl(text)
		ours, err := readByUs(text)
		if (err == nil) != (refused == nil) || !reflect.DeepEqual(ours, theirs) {
			t.Errorf("%q: read as %#v, %v; kubectl reads %#v, %v", text, ours, err, theirs, refused)
			continue
		}
		if err != nil {
			continue
		}
		var document yaml.Node
		_ = yaml.Unmarshal([]byte(text), &document)
		canonical, err := canonicalYAML(&document)
		if err != nil {
			t.Errorf("%q has no canonical form: %v", text, err)
			continue
		}
		if again, err := readByKubectl(canonical); err != nil || !reflect.DeepEqual(again, theirs) {
			t.Errorf("%q became %q, which kubectl reads as %#v, not %#v", text, canonical, again, theirs)
		}
	}
}

func TestAFilesModeIsOctalAsForKubectl(t *testing.T) {
	for text, want := range map[string]int64{
		"0600": 384, "0o600": 384, "0O600": 384, "0x180": 384, "0b110000000": 384, "384": 384, "0_600": 384, "-0600": -384, "3_84": 384,
	} {
		object := "apiVersion: v1\nkind: A\nmetadata: {name: a}\nspec: {defaultMode: " + text + "}\n"
		read, err := readByUs(object)
		if err != nil {
			t.Fatal(err)
		}
		if mode := read.(map[string]any)["spec"].(map[string]any)["defaultMode"]; mode != want {
			t.Errorf("%s is read as %v, want %d", text, mode, want)
		}
	}
}

func TestScalarsThatReadersDifferOnAreReadAsByKubectl(t *testing.T) {
	for _, scalar := range []string{
		"0", "-0", "+0", "00", "07", "08", "09", "010", "0o17", "0o18", "0x1F", "0xg", "0b102", "0b11", "-0b11", "-0x1f", "+0x1f", "1_000", "1__0", "_1", "1_", "0_8",
		"1.0", "1.5", "-1.5", "1.", ".5", "-.5", "+.5", "1e3", "1E3", "1e+3", "1e-3", "1.5e3", ".5e3", "1e", "1e400", "0.1", "0.12345678901", "1_0.5", "0.0", "-0.0", "100.0",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
		"0777777777777777777777", "0xffffffffffffffff", "1e15", "1e21", "123456789012345678901234567890",
		"y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "NO", "on", "On", "ON", "oN", "off", "Off", "OFF", "oFF", "true", "True", "TRUE", "tRUE", "false", "False", "FALSE",
		"null", "Null", "NULL", "nULL", "~", ".inf", "-.inf", "+.INF", ".nan", ".NaN", "inf", "nan", "Infinity", "0x1p4", "0x1.8p1",
		"12:30", "12:30:45", "190:20:30", "2001-01-01", "2001-1-1", "2001-01-01T01:02:03Z", "2001-01-01 01:02:03", "2001-13-45", "=", "x", "a b", "1a", "1.2.3", "v1", "10Gi", "500m",
		`"0600"`, `'0600'`, `"on"`, `'y'`, `"1e3"`, `"true"`, `"null"`, `"<<"`, `""`,
		"!!str 0600", "!!int 0600", "!!int \"0600\"", "!!float 1", "!!float 0600", "!!bool yes", "!!bool true", "!!int x", "!!null x", "!!null ~", "!!str on", "!!binary aGk=", "!!timestamp 2001-01-01",
	} {
		sameScalar(t, scalar)
	}
}

func TestAnyNumberIsReadAsByKubectl(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const characters = "0123456789012345670._-+exobE:nyiaf"
	for range 20_000 {
		var scalar strings.Builder
		for range 1 + random.IntN(8) {
			scalar.WriteByte(characters[random.IntN(len(characters))])
		}
		if text := scalar.String(); plainScalar(text) {
			sameScalar(t, text)
		}
	}
}

// plainScalar tells whether YAML takes a text for one plain scalar, as a value, in a list and as a key.
func plainScalar(text string) bool {
	var document yaml.Node
	if yaml.Unmarshal([]byte("- v: "+text+"\n- ["+text+"]\n- "+text+": x\n"), &document) != nil || len(document.Content[0].Content) != 3 {
		return false
	}
	found := document.Content[0].Content
	if len(found[0].Content) != 2 || len(found[1].Content) != 1 || len(found[2].Content) != 2 {
		return false
	}
	return found[0].Content[1].Value == text && found[1].Content[0].Value == text && found[2].Content[0].Value == text
}

func FuzzScalars(f *testing.F) {
	for _, seed := range []string{"0600", "0o17", "1_0", "1e3", "on", "-.5", "0x_f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, character := range text {
			if !strings.ContainsRune("0123456789._-+abcdefxoXOBnyNYTRUEtruelsLS", character) {
				t.Skip()
			}
		}
		if plainScalar(text) {
			sameScalar(t, text)
		}
	})
}

func TestAKeyIsWrittenTwiceHoweverItIsSpelled(t *testing.T) {
	for _, text := range []string{"{1: a, 0x1: b}", "{on: a, yes: b}", "{true: a, 'true': b}", "{a: 1, a: 2}", "{1.0: a, 1: b}"} {
		if _, err := readByUs(text); err == nil || !strings.Contains(err.Error(), "written twice") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAKeyThatJSONHasNotIsRefusedAtItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nnull: b\n": "line 2: the key is no text", "a: 1\n? [x]\n: b\n": "line 2: a key is no plain word", "a: 1\n<<: {b: 1}\n": "line 2: merge keys",
		"a: .nan\n": "line 1: the value is no JSON number", "a: !own 1\n": "line 1: a tag of this kind",
	} {
		if _, err := readByUs(text); err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
