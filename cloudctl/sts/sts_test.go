package sts

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"karri/shared/action"
)

func TestWhoAsks(t *testing.T) {
	door := &action.Door{
		Services: []*action.Service{Catalog.With(&API{})}, Policy: action.OwnerOnly{}, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "req-1" },
		Who: func(*http.Request, string) (action.Caller, error) {
			return action.Caller{Account: "111122223333", ARN: "arn:aws:iam::111122223333:root", UserID: "111122223333"}, nil
		},
	}
	for _, c := range []struct {
		form   string
		status int
		want   string
	}{
		{"Action=GetCallerIdentity&Version=2011-06-15", 200, "<GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:root</Arn><UserId>111122223333</UserId></GetCallerIdentityResult>"},
		{"Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=x&RoleSessionName=y", 400, "<Code>UnsupportedOperation</Code>"},
		{"Action=MakeCoffee&Version=2011-06-15", 400, "<Code>InvalidAction</Code>"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.form, w.Code, w.Body)
		}
	}
}
