package admin

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/ledger"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/audit"
	"karri/shared/fault"
)

func TestWhyARequestWasRefused(t *testing.T) {
	x, err := store.OpenIndex(t.Context(), filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	const decision = `{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[{"statementId":"No","effect":"DENY","actions":{"items":[{"value":"ec2:*"}]},
		"resources":{"items":[{"value":"*"}]},"sourcePolicyId":"p","sourcePolicyType":"IDENTITY"}]},
		"failures":{"items":[{"noStatementAllows":"BOUNDARY"},{"statementId":"Red","effect":"ALLOW","sourcePolicyId":"q","sourcePolicyType":"SESSION",
			"unmetCondition":{"operator":"StringLike","key":"aws:ResourceTag/team","values":{"items":[{"value":"red"}]}}}]},
		"context":{"action":"ec2:StopInstances","resource":"arn:x","conditions":{"items":[{"key":"aws:SourceIp","values":{"items":[{"value":"192.0.2.7"}]}}]}}}`
	body, err := json.Marshal(audit.Line{
		Seq: 1, Time: time.Now(), Daemon: "cloudctl.karri", Service: "ec2", Action: "StopInstances", Account: "111122223333", ARN: "arn:ann",
		On: []string{"arn:x"}, RequestID: "r-1", Code: "UnauthorizedOperation", Text: "No.", Decision: json.RawMessage(decision),
	})
	if err != nil {
		t.Fatal(err)
	}
	line := store.AuditLine{Log: "l", Seq: 1, At: time.Now().UnixMicro(), Event: "e", Account: "111122223333", Action: "StopInstances", Code: "UnauthorizedOperation", Request: "r-1", Body: body}
	if err := x.Add(t.Context(), store.AuditHead{Daemon: "cloudctl.karri", Log: "l", Seq: 1}, []store.AuditLine{line}); err != nil {
		t.Fatal(err)
	}
	api := &API{Ledger: &ledger.Ledger{Index: x}}
	out, err := explainDenied(t.Context(), api, action.Caller{Account: "111122223333"}, &ExplainDeniedInput{RequestId: "r-1"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ec2:StopInstances on arn:x", `DENY by statement "No" of the identity policy "p": ec2:* on *`, "No statement of the boundary policy allows it.",
		`ALLOW by statement "Red" of the session policy "q" but for its condition StringLike aws:ResourceTag/team: red`, "aws:SourceIp = 192.0.2.7"}
	if out.Caller != "arn:ann" || out.Action != "ec2:StopInstances" || !slices.Equal(out.Lines, want) {
		t.Errorf("%+v", out)
	}
	for _, c := range []struct {
		who action.Caller
		id  string
	}{{action.Caller{Account: "999988887777"}, "r-1"}, {action.Caller{Account: "111122223333"}, "r-2"}, {action.Caller{Account: "111122223333"}, ""}} {
		if _, err := explainDenied(t.Context(), api, c.who, &ExplainDeniedInput{RequestId: c.id}); fault.KindOf(err) != fault.Missing {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if out, err := explainDenied(t.Context(), api, action.Caller{Account: "1", Admin: true}, &ExplainDeniedInput{RequestId: "r-1"}); err != nil || !strings.Contains(out.Message, "No") {
		t.Error(out, err)
	}
}
