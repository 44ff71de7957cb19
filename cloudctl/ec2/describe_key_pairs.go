package ec2

import (
	"context"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DescribeKeyPairsInput narrows the list of key pairs.
type DescribeKeyPairsInput struct {
	KeyNames         []string
	KeyPairIds       []string
	IncludePublicKey *bool
	Filters          []action.Filter
}

// DescribeKeyPairsOutput lists key pairs.
type DescribeKeyPairsOutput struct{ KeyPairs []KeyPairInfo }

// KeyPairInfo is what is known of a key pair.
type KeyPairInfo struct {
	CreateTime     time.Time
	KeyFingerprint string
	KeyName        string
	KeyPairId      string
	KeyType        string
	PublicKey      *string
	Tags           []Tag
}

var keyFields = fields[KeyPairInfo]{
	"fingerprint": func(k KeyPairInfo) []string { return is(k.KeyFingerprint) },
	"key-name":    func(k KeyPairInfo) []string { return is(k.KeyName) },
	"key-pair-id": func(k KeyPairInfo) []string { return is(k.KeyPairId) },
}

var _ = action.Add(Catalog, action.Def[*API, DescribeKeyPairsInput, DescribeKeyPairsOutput]{
	Name:    "DescribeKeyPairs",
	Doc:     "Lists key pairs.",
	Example: DescribeKeyPairsInput{KeyNames: []string{"mine"}, IncludePublicKey: ptr(true)},
	On:      action.Own[*API, DescribeKeyPairsInput],
	List:    &action.List{Filters: keyFields.names()},
	Run:     describeKeyPairs,
})

func describeKeyPairs(ctx context.Context, api *API, who action.Caller, in *DescribeKeyPairsInput) (*DescribeKeyPairsOutput, error) {
	all := []KeyPairInfo{}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.KeysOf(who.Account)
		if err != nil {
			return err
		}
		tags, err := tx.TagsOf(who.Account)
		for _, k := range rows {
			info := KeyPairInfo{
				CreateTime: k.Created, KeyFingerprint: k.Fingerprint, KeyName: k.Name, KeyPairId: string(k.ID), KeyType: k.Type,
				Tags: tagSet(tags[string(k.ID)]),
			}
			if val(in.IncludePublicKey) {
				info.PublicKey = ptr(k.Public)
			}
			all = append(all, info)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	missing := func(name string) error {
		return fault.New(fault.Missing, "InvalidKeyPair.NotFound", "The key pair '%s' does not exist", name)
	}
	if all, err = wanted(in.KeyNames, all, func(k KeyPairInfo) string { return k.KeyName }, missing); err != nil {
		return nil, err
	}
	if all, err = wanted(in.KeyPairIds, all, func(k KeyPairInfo) string { return k.KeyPairId }, missing); err != nil {
		return nil, err
	}
	all = keyFields.pick(in.Filters, all, func(k KeyPairInfo) []Tag { return k.Tags })
	all, _, err = action.Page(ctx, all, func(k KeyPairInfo) string { return k.KeyName })
	return &DescribeKeyPairsOutput{KeyPairs: all}, err
}
