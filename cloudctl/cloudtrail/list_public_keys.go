package cloudtrail

import (
	"context"
	"time"

	"karri/shared/action"
	"karri/shared/fault"
)

// ListPublicKeysInput says for which time keys are wanted: now, when absent.
type ListPublicKeysInput struct {
	StartTime *time.Time
	EndTime   *time.Time
	NextToken *string
}

// ListPublicKeysOutput lists keys by age.
type ListPublicKeysOutput struct {
	PublicKeyList []PublicKey
	NextToken     *string
}

// PublicKey is a key that digests of that time are signed with.
type PublicKey struct {
	Value             []byte // PKCS #1
	ValidityStartTime time.Time
	ValidityEndTime   time.Time
	Fingerprint       string
}

var _ = action.Add(Catalog, action.Def[*API, ListPublicKeysInput, ListPublicKeysOutput]{
	Name: "ListPublicKeys",
	Doc:  "Lists the keys with which the digests of trails can be verified.",
	List: &action.List{},
	On:   action.Own[*API, ListPublicKeysInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *ListPublicKeysInput) (*ListPublicKeysOutput, error) {
		from, to := api.Clock(), api.Clock()
		if in.EndTime != nil {
			to = *in.EndTime
		}
		if in.StartTime != nil {
			from = *in.StartTime
		} else if in.EndTime != nil {
			from = to
		}
		if from.After(to) {
			return nil, fault.New(fault.Invalid, "InvalidTimeRangeException", "Start time is after end time.")
		}
		keys, err := api.Keys.Keys(ctx)
		if err != nil {
			return nil, err
		}
		var all []PublicKey
		for _, k := range keys {
			if !k.Created.After(to) && !k.Expires.Before(from) {
				all = append(all, PublicKey{Value: k.Public, ValidityStartTime: k.Created, ValidityEndTime: k.Expires, Fingerprint: k.ID})
			}
		}
		page, next, err := action.Page(ctx, all, func(k PublicKey) string { return k.ValidityStartTime.UTC().Format(time.RFC3339) + k.Fingerprint })
		return &ListPublicKeysOutput{PublicKeyList: page, NextToken: next}, err
	},
})
