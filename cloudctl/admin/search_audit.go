package admin

import (
	"context"
	"encoding/json"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/audit"
	"karri/shared/fault"
)

// SearchAuditInput says which lines of the audit logs are wanted; what is
// absent does not matter.
type SearchAuditInput struct {
	AccountId  *string // or its name, or its alias
	Username   *string
	AccessKey  *string
	Action     *string
	RequestId  *string
	Resource   *string // id, name, or ARN of an object
	Code       *string // * is any refusal or failure
	StartTime  *time.Time
	EndTime    *time.Time
	MaxResults *int // 1 to 1000; 100 when absent
}

// SearchAuditOutput lists lines, the newest first.
type SearchAuditOutput struct{ Lines []AuditLine }

// AuditLine is a request and what came of it.
type AuditLine struct {
	Time      time.Time
	Daemon    string
	Service   string
	Action    string
	AccountId string
	Who       string // ARN
	AccessKey string
	Claimed   string // access key or component that the request named, and did not prove
	Source    string
	On        []string
	Code      string // of the refusal or failure
	Text      string
	Decision  string // of the policies, when they refused: JSON
	RequestId string
}

var _ = action.Add(Catalog, action.Def[*API, SearchAuditInput, SearchAuditOutput]{
	Name:    "SearchAudit",
	Doc:     "Searches the audit logs of the cloud's daemons for who asked what, and what came of it.",
	Example: SearchAuditInput{},
	On:      action.AdminOnly[*API, SearchAuditInput],
	Run:     searchAudit,
})

func searchAudit(ctx context.Context, api *API, _ action.Caller, in *SearchAuditInput) (*SearchAuditOutput, error) {
	s := store.Search{Max: 100}
	if in.MaxResults != nil {
		s.Max = *in.MaxResults
	}
	if s.Max < 1 || s.Max > 1000 {
		return nil, fault.New(fault.Invalid, "InvalidParameterValue", "MaxResults is 1 to 1000.")
	}
	account, err := api.called(ctx, in.AccountId, "")
	if fault.KindOf(err) == fault.Missing && err != nil {
		account, err = *in.AccountId, nil // one that was deleted has lines still
	}
	if err != nil {
		return nil, err
	}
	for to, from := range map[*string]*string{&s.Account: &account, &s.Name: in.Username, &s.Key: in.AccessKey, &s.Action: in.Action,
		&s.Request: in.RequestId, &s.Resource: in.Resource, &s.Code: in.Code} {
		if from != nil {
			*to = *from
		}
	}
	if in.StartTime != nil {
		s.From = *in.StartTime
	}
	if in.EndTime != nil {
		s.To = *in.EndTime
	}
	rows, err := api.Ledger.Index.Find(ctx, s)
	if err != nil {
		return nil, err
	}
	out := &SearchAuditOutput{}
	for _, r := range rows {
		var l audit.Line
		if err := json.Unmarshal(r.Body, &l); err != nil {
			return nil, err
		}
		out.Lines = append(out.Lines, AuditLine{Time: l.Time, Daemon: l.Daemon, Service: l.Service, Action: l.Action, AccountId: l.Account, Who: l.ARN,
			AccessKey: l.AccessKey, Claimed: l.Claimed, Source: l.Source, On: l.On, Code: l.Code, Text: l.Text, Decision: string(l.Decision), RequestId: l.RequestID})
	}
	return out, nil
}
