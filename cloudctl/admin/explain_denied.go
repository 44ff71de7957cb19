package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/audit"
	"karri/shared/fault"
)

// ExplainDeniedInput names a request that was refused.
type ExplainDeniedInput struct{ RequestId string }

// ExplainDeniedOutput says who was refused what, and by which statement.
type ExplainDeniedOutput struct {
	Time      time.Time
	Daemon    string
	Caller    string // ARN, or whom the request named without proving it
	Action    string
	Resources []string
	Code      string
	Message   string
	Lines     []string // how it was decided
}

var _ = action.Add(Catalog, action.Def[*API, ExplainDeniedInput, ExplainDeniedOutput]{
	Name:    "ExplainDenied",
	Doc:     "Tells why a request was refused: who asked for what, and which statement of which policy decided.",
	Example: ExplainDeniedInput{RequestId: "6f1e2f9c-0000-4000-8000-000000000000"},
	On:      action.Own[*API, ExplainDeniedInput],
	Run:     explainDenied,
})

func explainDenied(ctx context.Context, api *API, who action.Caller, in *ExplainDeniedInput) (*ExplainDeniedOutput, error) {
	none := fault.New(fault.Missing, "NoSuchRequest", "No refused request %s is known. The audit log is read within seconds, and kept for a time.", in.RequestId)
	if in.RequestId == "" {
		return nil, none
	}
	s := store.Search{Request: in.RequestId, Code: "*", Max: 20}
	if !who.Admin {
		s.Account = who.Account
	}
	rows, err := api.Ledger.Index.Find(ctx, s)
	if err != nil {
		return nil, err
	}
	var best *audit.Line
	for _, row := range rows {
		var l audit.Line
		if err := json.Unmarshal(row.Body, &l); err != nil {
			return nil, fmt.Errorf("line %d of the audit log %s: %w", row.Seq, row.Log, err)
		}
		if best == nil || len(l.Decision) > 0 {
			best = &l
		}
	}
	if best == nil {
		return nil, none
	}
	message, _, _ := strings.Cut(best.Text, " Encoded authorization failure message:") // the lines say what it says
	return &ExplainDeniedOutput{
		Time: best.Time, Daemon: best.Daemon, Caller: callerOf(best), Action: best.Service + ":" + best.Action, Resources: best.On,
		Code: best.Code, Message: message, Lines: decided(best.Decision),
	}, nil
}

// callerOf says who asked, or who it was said to be.
func callerOf(l *audit.Line) string {
	if l.ARN == "" && l.Claimed != "" {
		return "who claims to be " + l.Claimed
	}
	return l.ARN
}

type valueList struct{ Items []struct{ Value string } }

func (l valueList) String() string {
	var all []string
	for _, v := range l.Items {
		all = append(all, v.Value)
	}
	return strings.Join(all, ", ")
}

type conditionShown struct {
	Operator, Key string
	Values        valueList
}

type statementShown struct {
	StatementID, Effect, SourcePolicyID, SourcePolicyType string
	Actions, Resources                                    valueList
	NoStatementAllows                                     string // in failures, as the next
	UnmetCondition                                        *conditionShown
}

func (s *statementShown) String() string {
	return fmt.Sprintf("%s by statement %q of the %s policy %q", s.Effect, s.StatementID, strings.ToLower(s.SourcePolicyType), s.SourcePolicyID)
}

// decided reads the decision of an audit line: the form that the daemons give
// to refusals.
func decided(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return []string{"It was not refused by a policy."}
	}
	var m struct {
		ExplicitDeny      bool
		MatchedStatements struct{ Items []statementShown }
		Failures          struct{ Items []statementShown }
		Context           struct {
			Action, Resource string
			Conditions       struct{ Items []conditionShown }
		}
	}
	var of struct{ Action, Decision string } // of walrus
	if json.Unmarshal(raw, &of) == nil && of.Decision != "" {
		return []string{of.Action, of.Decision}
	}
	if err := json.Unmarshal(raw, &m); err != nil || m.Context.Action == "" {
		return []string{string(raw)}
	}
	lines := []string{m.Context.Action + " on " + m.Context.Resource}
	if !m.ExplicitDeny && len(m.Failures.Items) == 0 {
		lines = append(lines, "No statement allows it.")
	}
	for _, s := range m.MatchedStatements.Items {
		lines = append(lines, fmt.Sprintf("%s: %s on %s", &s, s.Actions, s.Resources))
	}
	for _, s := range m.Failures.Items {
		switch u := s.UnmetCondition; {
		case u != nil:
			lines = append(lines, fmt.Sprintf("%s but for its condition %s %s: %s", &s, u.Operator, u.Key, u.Values))
		case s.NoStatementAllows == "IDENTITY":
			lines = append(lines, "No statement allows it.")
		default:
			lines = append(lines, "No statement of the "+strings.ToLower(s.NoStatementAllows)+" policy allows it.")
		}
	}
	for _, c := range m.Context.Conditions.Items {
		lines = append(lines, c.Key+" = "+c.Values.String())
	}
	return lines
}
