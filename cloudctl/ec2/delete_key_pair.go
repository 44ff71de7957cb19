package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// DeleteKeyPairInput names a key pair by one of its names.
type DeleteKeyPairInput struct {
	KeyName   *string
	KeyPairId *string
}

// DeleteKeyPairOutput says that it is gone.
type DeleteKeyPairOutput struct {
	KeyPairId *string
	Return    bool
}

var _ = action.Add(Catalog, action.Def[*API, DeleteKeyPairInput, DeleteKeyPairOutput]{
	Name:    "DeleteKeyPair",
	Doc:     "Forgets a key pair; instances that have the key keep it.",
	Example: DeleteKeyPairInput{KeyName: ptr("mine")},
	On: on(func(tx *store.Tx, u *uses, in *DeleteKeyPairInput) error {
		key, err := keyOf(tx, u.who.Account, in)
		if key != nil {
			return u.addKey(key, err)
		}
		u.addName("key-pair", orElse(in.KeyName, "*")) // one that is not there is gone already
		return err
	}),
	Run: deleteKeyPair,
})

// keyOf finds the key pair; nil when there is none of that name, which EC2
// takes for deleted.
func keyOf(tx *store.Tx, account string, in *DeleteKeyPairInput) (key *store.Key, err error) {
	switch {
	case val(in.KeyPairId) != "":
		key, err = tx.Key(account, id.Key(*in.KeyPairId))
	case val(in.KeyName) != "":
		key, err = tx.KeyNamed(account, *in.KeyName)
	default:
		return nil, lacking("KeyName")
	}
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, nil
	}
	return key, err
}

func deleteKeyPair(ctx context.Context, api *API, who action.Caller, in *DeleteKeyPairInput) (*DeleteKeyPairOutput, error) {
	out := &DeleteKeyPairOutput{Return: true}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		key, err := keyOf(tx, who.Account, in)
		if key == nil {
			return err
		}
		out.KeyPairId = ptr(string(key.ID))
		if err := tx.DropTagsOn(string(key.ID)); err != nil {
			return err
		}
		return tx.Drop(key)
	})
	return out, err
}
