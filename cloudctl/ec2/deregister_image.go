package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
	"karri/shared/wire"
)

// DeregisterImageInput names an image of the caller.
type DeregisterImageInput struct{ ImageId string }

var _ = action.Add(Catalog, action.Def[*API, DeregisterImageInput, action.Nothing]{
	Name:    "DeregisterImage",
	Doc:     "Forgets an image; instances that were made from it go on.",
	Example: DeregisterImageInput{ImageId: "ami-1a2b3c4d5e6f70819"},
	On: on(func(tx *store.Tx, u *uses, in *DeregisterImageInput) error {
		image, err := parse[id.Image](in.ImageId)
		if err != nil {
			return err
		}
		u.add("image", string(image))
		_, err = tx.Image(u.who.Account, image)
		return err
	}),
	Run: deregisterImage,
})

// deregisterImage wishes the image gone. Its bytes stay until no instance needs
// them any more; the keeper of images sees to that.
func deregisterImage(ctx context.Context, api *API, who action.Caller, in *DeregisterImageInput) (*action.Nothing, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		image, err := tx.Image(who.Account, id.Image(in.ImageId))
		if err != nil {
			return err
		}
		image.Want = wire.Gone
		if err := tx.DropTagsOn(in.ImageId); err != nil {
			return err
		}
		return tx.Put(image)
	})
	if err == nil {
		api.Nudge()
	}
	return nil, err
}
