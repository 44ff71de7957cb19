package iam

import (
	"context"

	"karri/shared/action"
)

// GenerateCredentialReportInput is empty.
type GenerateCredentialReportInput struct{}

// GenerateCredentialReportOutput tells how far it is.
type GenerateCredentialReportOutput struct {
	State       string
	Description *string
}

var _ = action.Add(Catalog, action.Def[*API, GenerateCredentialReportInput, GenerateCredentialReportOutput]{
	Name: "GenerateCredentialReport",
	Doc:  "Starts a report of all users and with what they show who they are; it is good for four hours.",
	On:   action.Own[*API, GenerateCredentialReportInput],
	Run:  generateCredentialReport,
})

func generateCredentialReport(_ context.Context, api *API, who action.Caller, _ *GenerateCredentialReportInput) (*GenerateCredentialReportOutput, error) {
	if api.reports.start(who.Account, api.Clock()) {
		return &GenerateCredentialReportOutput{State: "STARTED", Description: ptr("No report exists. Starting a new report generation task")}, nil
	}
	return &GenerateCredentialReportOutput{State: "COMPLETE"}, nil
}
