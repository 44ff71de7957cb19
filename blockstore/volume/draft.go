package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/id"
)

// draft is a sparse raw file in the draft folder. Raw, because pieces of a
// snapshot are then written where they belong by us, without a helper process;
// no guest ever writes this file as its top layer.
type draft struct {
	*os.File
	files *Files
	vol   id.Volume
	size  int64
}

// Draft implements Engine.
func (f *Files) Draft(ctx context.Context, v id.Volume, size int64) (Draft, error) {
	s, err := f.Seen(ctx, v)
	if err != nil {
		return nil, err
	}
	if s.Exists() {
		return nil, fmt.Errorf("volume %s exists already", v)
	}
	dir := f.folder(v) + draftEnd
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "0.raw"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	d := &draft{file, f, v, size}
	if st, err := file.Stat(); err == nil && st.Size() != size {
		err = errors.Join(file.Truncate(0), d.Save(0), file.Truncate(size))
		if err != nil {
			file.Close()
			return nil, err
		}
	}
	if err := f.own(v, file.Name()); err != nil {
		file.Close()
		return nil, err
	}
	return d, nil
}

// filledFile holds the n of Save, in the folder of the bytes that it speaks
// of, so that neither outlives the other.
const filledFile = "filled"

// Filled implements Draft.
func (d *draft) Filled() int {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(d.Name()), filledFile))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return 0
	}
	return n
}

// Save implements Draft.
func (d *draft) Save(n int) error {
	if err := d.Sync(); err != nil {
		return err
	}
	crash.Here("blockstore.draft.synced")
	return durable.WriteFile(filepath.Join(filepath.Dir(d.Name()), filledFile), []byte(strconv.Itoa(n)), 0o600)
}

// Commit implements Draft.
func (d *draft) Commit(ctx context.Context) error {
	if err := d.Sync(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(filepath.Dir(d.Name()), filledFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	base := Layer{0, d.Name(), "raw"}
	if err := d.files.makeLayer(ctx, d.vol, filepath.Dir(d.Name()), Layer{Number: 1}, &base, d.size); err != nil {
		return err
	}
	crash.Here("blockstore.volume.filled")
	return d.files.appear(d.vol)
}
