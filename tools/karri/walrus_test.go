package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const (
	checkFinding = `{"finding":{"kind":"orphan","what":"f00d","text":"5 bytes","mended":MENDED}}`
	checkReport  = `{"report":{"rows":3,"pieces":2,"bytes":10,"findings":1,"mended":COUNT}}`
)

func TestCheckWalrus(t *testing.T) {
	answer := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.Path != "/check" || r.Header.Get("X-Karri-Admin") == "" || !r.URL.Query().Has("repair") {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer s.Close()
	at := strings.TrimPrefix(s.URL, "http://")
	run := func(asJSON bool, lines ...string) (string, error) {
		answer = strings.Join(append([]string{`{"progress":{"step":"index"}}`}, lines...), "\n")
		var out bytes.Buffer
		err := checkWalrus(t.Context(), at, url.Values{"repair": {""}}, asJSON, &out)
		return out.String(), err
	}
	left, count := strings.NewReplacer("MENDED", "false", "COUNT", "0"), strings.NewReplacer("MENDED", "true", "COUNT", "1")
	if out, err := run(false, left.Replace(checkFinding), left.Replace(checkReport)); err == nil || !strings.Contains(out, "f00d") || !strings.Contains(out, "3 rows") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err := run(true, count.Replace(checkFinding), count.Replace(checkReport))
	var result checkResult
	if err != nil || json.Unmarshal([]byte(out), &result) != nil || len(result.Findings) != 1 || result.Report.Mended != 1 {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run(false, `{"error":"the disk is on fire"}`); err == nil || !strings.Contains(err.Error(), "fire") {
		t.Errorf("%v", err)
	}
	if _, err := run(false); err == nil {
		t.Error("half an answer was taken for a whole one")
	}
}
