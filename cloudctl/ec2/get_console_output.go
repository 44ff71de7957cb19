package ec2

import (
	"context"
	"encoding/base64"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// GetConsoleOutputInput names an instance of the caller, ended or not.
type GetConsoleOutputInput struct {
	InstanceId string
	Latest     *bool // what is answered is always the latest
}

// GetConsoleOutputOutput is the end of what the instance wrote on its console.
type GetConsoleOutputOutput struct {
	InstanceId string
	Output     *string // base64
	Timestamp  time.Time
}

var _ = action.Add(Catalog, action.Def[*API, GetConsoleOutputInput, GetConsoleOutputOutput]{
	Name:    "GetConsoleOutput",
	Doc:     "Answers the last output of an instance's serial console.",
	Example: GetConsoleOutputInput{InstanceId: "i-1a2b3c4d5e6f70819", Latest: ptr(true)},
	On:      onInstances(func(in *GetConsoleOutputInput) []string { return []string{in.InstanceId} }),
	Run:     getConsoleOutput,
})

func getConsoleOutput(ctx context.Context, api *API, who action.Caller, in *GetConsoleOutputInput) (*GetConsoleOutputOutput, error) {
	var i *store.Instance
	err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
		i, err = tx.Instance(who.Account, id.Instance(in.InstanceId))
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &GetConsoleOutputOutput{InstanceId: in.InstanceId, Timestamp: api.Clock()}
	text, read, err := api.Console.Console(ctx, i.Zone, i.ID)
	switch {
	case err != nil && fault.KindOf(err) == fault.Missing: // it has written nothing yet
		return out, nil
	case err != nil:
		return nil, err
	}
	out.Output, out.Timestamp = ptr(base64.StdEncoding.EncodeToString(text)), read
	return out, nil
}
