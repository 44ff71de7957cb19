package admin

import (
	"context"

	"karri/cloudctl/ledger"
	"karri/shared/action"
)

// VerifyAuditInput asks for all logs.
type VerifyAuditInput struct{}

// VerifyAuditOutput says of each log whether it is whole.
type VerifyAuditOutput struct {
	Whole bool // all of them are
	Logs  []AuditLog
}

// AuditLog is the audit log of one daemon.
type AuditLog struct {
	Daemon   string
	Log      string
	Lines    int64
	Last     int64
	State    string // whole, broken, unknown, or ended: that of a node that is gone
	Problems []string
}

var _ = action.Add(Catalog, action.Def[*API, VerifyAuditInput, VerifyAuditOutput]{
	Name: "VerifyAudit",
	Doc:  "Checks that the audit logs are whole, and are those that were seen before.",
	On:   action.AdminOnly[*API, VerifyAuditInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, _ *VerifyAuditInput) (*VerifyAuditOutput, error) {
		all, err := api.Ledger.Verify(ctx)
		out := &VerifyAuditOutput{Whole: true}
		for _, f := range all {
			out.Logs = append(out.Logs, logOf(f))
			out.Whole = out.Whole && f.Failed == "" && len(f.Wrong) == 0
		}
		return out, err
	},
})

func logOf(f ledger.Finding) AuditLog {
	l := AuditLog{Daemon: f.Daemon, Log: f.Log, Lines: int64(f.Lines), Last: int64(f.Last), State: "whole", Problems: f.Wrong}
	if f.Ended {
		l.State = "ended"
	}
	if f.Failed != "" {
		l.State, l.Problems = "unknown", append(l.Problems, f.Failed)
	}
	if len(f.Wrong) > 0 {
		l.State = "broken"
	}
	return l
}
