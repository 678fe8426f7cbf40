package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAPolicyReachesNoAddress(t *testing.T) {
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	for name, expression := range map[string]string{
		"gets":  `http.Get("` + server.URL + `/") == null`,
		"posts": `http.Post("` + server.URL + `/", object.data) == ""`,
		"far":   `http.Get("http://192.0.2.1/") == null`, // Kyverno's own list closes loopback, and not this
		"names": `http.Get("http://localhost` + server.URL[len("http://127.0.0.1"):] + `/") == ""`,
	} {
		s := loadAll(t, []any{policy(name, "configmaps", expression, nil)})
		found, err := ask(s, nil, configMap("a", "one", object{"password": "secret"}))
		if err != nil {
			t.Fatal(err)
		}
		if one := found[0][0]; one.Status != "error" || !strings.Contains(one.Message, "allowlist") {
			t.Errorf("%s: %+v", name, one)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("a policy sent %d requests", asked.Load())
	}
}
