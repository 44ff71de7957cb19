package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// CreateKeyPairInput names a new key pair.
type CreateKeyPairInput struct {
	KeyName           string
	KeyType           *string // rsa when absent
	KeyFormat         *string // pem
	TagSpecifications []TagSpecification
}

// CreateKeyPairOutput holds the only copy of the private half.
type CreateKeyPairOutput struct {
	KeyFingerprint string
	KeyMaterial    string
	KeyName        string
	KeyPairId      string
	Tags           []Tag
}

var _ = action.Add(Catalog, action.Def[*API, CreateKeyPairInput, CreateKeyPairOutput]{
	Name:    "CreateKeyPair",
	Doc:     "Makes a key pair, keeps the public half and answers the private one.",
	Example: CreateKeyPairInput{KeyName: "mine", KeyType: ptr("ed25519")},
	On: on(func(_ *store.Tx, u *uses, in *CreateKeyPairInput) error {
		u.addName("key-pair", in.KeyName)
		return nil
	}),
	Run: createKeyPair,
})

func createKeyPair(ctx context.Context, api *API, who action.Caller, in *CreateKeyPairInput) (*CreateKeyPairOutput, error) {
	if f := orElse(in.KeyFormat, "pem"); f != "pem" {
		return nil, unsupported("The key format '%s' is not supported.", f)
	}
	key, private, err := newKey(orElse(in.KeyType, "rsa"), api.Rand)
	if err != nil {
		return nil, err
	}
	out := &CreateKeyPairOutput{KeyMaterial: private}
	err = api.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		out.Tags, err = api.addKey(tx, who, in.KeyName, key, in.TagSpecifications)
		return err
	})
	out.KeyFingerprint, out.KeyName, out.KeyPairId = key.Fingerprint, key.Name, string(key.ID)
	return out, err
}
