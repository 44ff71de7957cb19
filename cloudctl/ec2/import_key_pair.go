package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
)

// ImportKeyPairInput holds the public half of a key pair made elsewhere.
type ImportKeyPairInput struct {
	KeyName           string
	PublicKeyMaterial []byte
	TagSpecifications []TagSpecification
}

// ImportKeyPairOutput names the record of it.
type ImportKeyPairOutput struct {
	KeyFingerprint string
	KeyName        string
	KeyPairId      string
	Tags           []Tag
}

var _ = action.Add(Catalog, action.Def[*API, ImportKeyPairInput, ImportKeyPairOutput]{
	Name:    "ImportKeyPair",
	Doc:     "Keeps the public half of a key pair that the caller made.",
	Example: ImportKeyPairInput{KeyName: "mine", PublicKeyMaterial: []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti me")},
	On: on(func(_ *store.Tx, u *uses, in *ImportKeyPairInput) error {
		u.addName("key-pair", in.KeyName)
		return nil
	}),
	Run: importKeyPair,
})

func importKeyPair(ctx context.Context, api *API, who action.Caller, in *ImportKeyPairInput) (*ImportKeyPairOutput, error) {
	key, err := importedKey(in.PublicKeyMaterial)
	if err != nil {
		return nil, err
	}
	out := &ImportKeyPairOutput{}
	err = api.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		out.Tags, err = api.addKey(tx, who, in.KeyName, key, in.TagSpecifications)
		return err
	})
	out.KeyFingerprint, out.KeyName, out.KeyPairId = key.Fingerprint, key.Name, string(key.ID)
	return out, err
}
