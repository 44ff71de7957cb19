package daemon

import (
	"context"
	"errors"
	"fmt"

	"karri/walrus/content"
	"karri/walrus/index"
)

// pair makes sure that index and content belong together, since the mill
// removes bytes that the index does not claim: an empty index beside old bytes,
// or one of another walrus, must not cost them. Both carry one name, which the
// content gets first.
func pair(ctx context.Context, files *content.Files, x *index.Store) error {
	bytes, err := files.Identity()
	if err != nil {
		return err
	}
	rows, err := x.Identity(ctx)
	if err != nil {
		return err
	}
	switch {
	case bytes != "" && bytes == rows:
		return nil
	case rows != "":
		return fmt.Errorf("the content is not that of this index (%q and %q): put the folders that belong together in their places", bytes, rows)
	}
	if some, err := holdsAny(ctx, files); err != nil || some {
		return errors.Join(err, errors.New("the index is new and there are bytes already: restore STATE/index, or move STATE/content away"))
	}
	if bytes == "" {
		bytes = content.NewID()
		if err := files.SetIdentity(bytes); err != nil {
			return err
		}
	}
	return x.SetIdentity(ctx, bytes)
}

var errFound = errors.New("found")

func holdsAny(ctx context.Context, e content.Engine) (bool, error) {
	err := e.List(ctx, func(content.Info) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}
