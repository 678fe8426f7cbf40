// Asks Traefik's own router which requests a rule takes. Reads one case a line of standard input, answers with a line.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"

	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
)

type rule struct {
	Text     string `json:"text"`
	Priority int    `json:"priority"`
}

type request struct {
	Host    string            `json:"host"`
	Path    string            `json:"path"` // decoded
	Method  string            `json:"method"`
	Query   string            `json:"query"`
	Headers map[string]string `json:"headers"`
	Client  string            `json:"client"`
}

type answer struct {
	Refused []bool   `json:"refused"` // of each rule
	Takes   [][]bool `json:"takes"`   // of each rule, each request
	Winners []int    `json:"winners"` // of each request, the rule that it goes to; -1 for none
}

// router serves some of the rules; what it answers is the number of the rule.
type router struct {
	muxer *muxer.Muxer
	asked *int
}

func newRouter() router {
	syntax, err := muxer.NewSyntaxParser()
	if err != nil {
		log.Fatal(err)
	}
	asked := new(int)
	m := muxer.NewMuxer(syntax, nil)
	m.SetDefaultHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *asked = -1 }))
	return router{m, asked}
}

func (r router) add(number int, of rule) error {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *r.asked = number })
	return r.muxer.AddRoute(of.Text, "v3", of.Priority, "kubernetescrd", handler)
}

// winner is the number of the rule that takes a request.
func (r router) winner(of request) int {
	sent := httptest.NewRequest(http.MethodGet, "http://"+of.Host+"/", nil)
	sent.Method, sent.RemoteAddr = of.Method, of.Client+":1234"
	sent.URL = &url.URL{Path: of.Path, RawQuery: of.Query}
	for name, value := range of.Headers {
		sent.Header.Set(name, value)
	}
	requestdecorator.New(nil).ServeHTTP(httptest.NewRecorder(), sent, r.muxer.ServeHTTP)
	return *r.asked
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked struct {
			Rules    []rule    `json:"rules"`
			Requests []request `json:"requests"`
		}
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		found := answer{Refused: []bool{}, Takes: [][]bool{}, Winners: []int{}}
		all := newRouter()
		for number, of := range asked.Rules {
			_ = all.add(number, of)
			alone := newRouter()
			found.Refused = append(found.Refused, alone.add(number, of) != nil)
			takes := []bool{}
			for _, r := range asked.Requests {
				takes = append(takes, alone.winner(r) == number)
			}
			found.Takes = append(found.Takes, takes)
		}
		for _, r := range asked.Requests {
			found.Winners = append(found.Winners, all.winner(r))
		}
		if err := answers.Encode(found); err != nil {
			log.Fatal(err)
		}
	}
}
