package iam

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// GetCredentialReportInput is empty.
type GetCredentialReportInput struct{}

// GetCredentialReportOutput is the report.
type GetCredentialReportOutput struct {
	Content       []byte
	ReportFormat  string
	GeneratedTime time.Time
}

var _ = action.Add(Catalog, action.Def[*API, GetCredentialReportInput, GetCredentialReportOutput]{
	Name: "GetCredentialReport",
	Doc:  "Shows the report of all users and with what they show who they are, as CSV.",
	On:   action.Own[*API, GetCredentialReportInput],
	Run:  getCredentialReport,
})

func getCredentialReport(ctx context.Context, api *API, who action.Caller, _ *GetCredentialReportInput) (*GetCredentialReportOutput, error) {
	if err := api.reports.check(who.Account, api.Clock()); err != nil {
		return nil, err
	}
	out := &GetCredentialReportOutput{ReportFormat: "text/csv", GeneratedTime: api.Clock()}
	return out, api.Store.View(ctx, func(tx *store.Tx) (err error) {
		out.Content, err = credentialReport(tx, who.Account)
		return err
	})
}
