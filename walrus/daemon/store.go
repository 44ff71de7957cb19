package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"karri/shared/service"
	"karri/walrus/content"
	"karri/walrus/index"
)

// open opens index and content, and makes sure that they belong together.
func (c *Config) open(ctx context.Context, s *service.Service) (_ content.Store, _ *index.Store, closeAll func(), err error) {
	var opened []io.Closer
	closeAll = func() {
		for _, o := range slices.Backward(opened) {
			if err := o.Close(); err != nil {
				s.Log.Error("cannot close a store", "err", err)
			}
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	files, err := content.Open(cmp.Or(c.Content, filepath.Join(s.State, "content")), content.FilesOptions{Reserve: int64(c.Reserve) << 20})
	if err != nil {
		return nil, nil, nil, err
	}
	opened = append(opened, files)
	x, err := openIndex(ctx, c.Index, filepath.Join(s.State, "index"), s.Log)
	if err != nil {
		return nil, nil, nil, err
	}
	opened = append(opened, x)
	return files, x, closeAll, pair(ctx, files, x)
}

// pair makes sure that index and content belong together, since the mill
// removes bytes that the index does not claim: an empty index beside old bytes,
// or one of another walrus, must not cost them. Both carry one name, which the
// content gets first.
func pair(ctx context.Context, files content.Store, x *index.Store) error {
	return x.Identify(ctx, func(rows string) (string, error) {
		bytes, err := files.Identity()
		if err != nil {
			return "", err
		}
		switch {
		case bytes != "" && bytes == rows:
			return rows, nil
		case rows != "":
			return "", fmt.Errorf("the content is not that of this index (%q and %q): put the folders that belong together in their places", bytes, rows)
		}
		if some, err := holdsAny(ctx, files); err != nil || some {
			return "", errors.Join(err, errors.New("the index is new and there are bytes already: restore STATE/index, or move STATE/content away"))
		}
		if bytes == "" {
			bytes = content.NewID()
			err = files.SetIdentity(bytes)
		}
		return bytes, err
	})
}

// openIndex opens the index at an address, or in a folder.
func openIndex(ctx context.Context, at, folder string, log *slog.Logger) (*index.Store, error) {
	if strings.HasPrefix(at, "postgres://") || strings.HasPrefix(at, "postgresql://") {
		return index.OpenPostgres(ctx, at)
	}
	return index.Open(cmp.Or(at, folder), index.Options{Log: log})
}

var errFound = errors.New("found")

func holdsAny(ctx context.Context, e content.Engine) (bool, error) {
	err := e.List(ctx, func(content.Info) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}
