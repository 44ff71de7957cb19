package volume

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"karri/shared/crash"
	"karri/shared/durable"
	"karri/shared/id"
)

// Files is the Engine that keeps each volume as a folder of qcow2 files, made
// by qemu-img. A folder vol-ID.draft or vol-ID.gone is a volume that is being
// made or removed.
type Files struct {
	Dir string
	Users
}

var _ Engine = (*Files)(nil)

// OpenFiles returns the engine over a folder, which it makes.
func OpenFiles(dir string) (*Files, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, err
	}
	return &Files{Dir: dir}, nil
}

const (
	draftEnd = ".draft"
	goneEnd  = ".gone"
)

func (f *Files) folder(v id.Volume) string { return filepath.Join(f.Dir, string(v)) }

// Volumes implements Engine.
func (f *Files) Volumes(context.Context) ([]id.Volume, error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, err
	}
	var all []id.Volume
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), draftEnd), goneEnd)
		if id.Valid[id.Volume](name) && !slices.Contains(all, id.Volume(name)) {
			all = append(all, id.Volume(name))
		}
	}
	return all, nil
}

// Seen implements Engine.
func (f *Files) Seen(_ context.Context, v id.Volume) (Seen, error) {
	var s Seen
	if !id.Valid[id.Volume](string(v)) {
		return s, Missing
	}
	for _, end := range []string{draftEnd, goneEnd} {
		if _, err := os.Lstat(f.folder(v) + end); err == nil {
			s.Remains = true
		}
	}
	entries, err := os.ReadDir(f.folder(v))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		name, format, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.Atoi(name)
		if err == nil && (format == "qcow2" || format == "raw") {
			s.Layers = append(s.Layers, Layer{n, filepath.Join(f.folder(v), e.Name()), format})
		}
	}
	slices.SortFunc(s.Layers, func(a, b Layer) int { return a.Number - b.Number })
	if len(s.Layers) == 0 {
		return s, fmt.Errorf("volume %s: its folder has no layer", v)
	}
	s.Size, err = sizeOf(s.Layers[len(s.Layers)-1])
	return s, err
}

// sizeOf reads a layer's virtual size.
func sizeOf(l Layer) (int64, error) {
	file, err := os.Open(l.Path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if l.Format == "raw" {
		st, err := file.Stat()
		if err != nil {
			return 0, err
		}
		return st.Size(), nil
	}
	var header [32]byte
	if _, err := file.ReadAt(header[:], 0); err != nil {
		return 0, fmt.Errorf("read %s: %w", l.Path, err)
	}
	if string(header[:4]) != "QFI\xfb" {
		return 0, fmt.Errorf("%s is not a qcow2 file", l.Path)
	}
	return int64(binary.BigEndian.Uint64(header[24:])), nil
}

// Create implements Engine.
func (f *Files) Create(ctx context.Context, v id.Volume, size int64) error {
	if _, err := os.Lstat(f.folder(v)); err == nil {
		return nil
	}
	draft := f.folder(v) + draftEnd
	if err := errors.Join(os.RemoveAll(draft), os.Mkdir(draft, 0o711)); err != nil {
		return err
	}
	if err := f.makeLayer(ctx, v, draft, Layer{Number: 0}, nil, size); err != nil {
		return err
	}
	crash.Here("blockstore.volume.created")
	return f.appear(v)
}

// appear makes a finished draft the volume.
func (f *Files) appear(v id.Volume) error {
	if err := durable.SyncDir(f.folder(v) + draftEnd); err != nil {
		return err
	}
	return durable.Rename(f.folder(v)+draftEnd, f.folder(v))
}

// makeLayer makes an empty qcow2 layer of v in a folder, on top of below.
func (f *Files) makeLayer(ctx context.Context, v id.Volume, dir string, l Layer, below *Layer, size int64) error {
	temp := filepath.Join(dir, fmt.Sprintf("%d.new", l.Number))
	args := []string{"create", "-q", "-f", "qcow2"}
	if below != nil {
		args = append(args, "-u", "-b", filepath.Base(below.Path), "-F", below.Format)
	}
	if err := qemuImg(ctx, nil, append(args, temp, strconv.FormatInt(size, 10))...); err != nil {
		return err
	}
	if err := f.own(v, temp); err != nil {
		return err
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	return durable.Rename(temp, filepath.Join(dir, fmt.Sprintf("%d.qcow2", l.Number)))
}

func (f *Files) own(v id.Volume, path string) error {
	user := f.Of(v)
	if err := os.Chmod(path, 0o600); err != nil || user < 0 {
		return err
	}
	return os.Chown(path, user, user)
}

// Freeze implements Engine.
func (f *Files) Freeze(ctx context.Context, v id.Volume, layer int) error {
	s, err := f.Seen(ctx, v)
	if err != nil {
		return err
	}
	switch {
	case !s.Exists() || s.Top() < layer:
		return Missing
	case s.Top() > layer:
		return nil
	}
	top := s.Layers[len(s.Layers)-1]
	return f.makeLayer(ctx, v, f.folder(v), Layer{Number: layer + 1}, &top, s.Size)
}

// Frozen implements Engine.
func (f *Files) Frozen(ctx context.Context, v id.Volume, layer int) (Frozen, error) {
	s, err := f.Seen(ctx, v)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.Layers, func(l Layer) bool { return l.Number > layer })
	if at < 1 {
		return nil, Missing // there is no such volume, or the layer takes writes
	}
	fr := &frozen{size: s.Size, layers: s.Layers[:at]}
	var out bytes.Buffer
	if err := qemuImg(ctx, &out, "map", "-U", "--output=json", stack(fr.layers)); err != nil {
		return nil, err
	}
	if fr.extents, err = parseMap(&out, len(fr.layers), s.Size); err != nil {
		return nil, fmt.Errorf("volume %s: %w", v, err)
	}
	for _, l := range fr.layers {
		file, err := os.Open(l.Path)
		if err != nil {
			fr.Close()
			return nil, err
		}
		fr.files = append(fr.files, file)
	}
	return fr, nil
}

// stack names layers to qemu-img with every file and format spelled out, so
// that nothing is guessed and no header is believed.
func stack(layers []Layer) string {
	var node map[string]any
	for _, l := range layers {
		up := map[string]any{"driver": l.Format, "file": map[string]any{"driver": "file", "filename": l.Path}}
		if l.Format == "qcow2" {
			up["backing"] = nil
			if node != nil {
				up["backing"] = node
			}
		}
		node = up
	}
	text, err := json.Marshal(node)
	if err != nil {
		panic("volume: a map of strings is always JSON: " + err.Error())
	}
	return "json:" + string(text)
}

// Merge implements Engine.
func (f *Files) Merge(ctx context.Context, v id.Volume, layer int) error {
	s, err := f.Seen(ctx, v)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(s.Layers, func(l Layer) bool { return l.Number == layer })
	switch {
	case !s.Exists() || s.Top() < layer:
		return Missing
	case at <= 0:
		return nil // merged before
	case at == len(s.Layers)-1:
		return fmt.Errorf("volume %s: layer %d takes the writes", v, layer)
	}
	below, above := s.Layers[at-1], s.Layers[at+1]
	if err := qemuImg(ctx, nil, "commit", "-q", "-d", stack(s.Layers[:at+1])); err != nil {
		return err
	}
	if err := syncFile(below.Path); err != nil {
		return err
	}
	crash.Here("blockstore.volume.merged")
	err = qemuImg(ctx, nil, "rebase", "-q", "-u", "-f", "qcow2", "-b", filepath.Base(below.Path), "-F", below.Format, above.Path)
	if err != nil {
		return err
	}
	return f.Drop(ctx, v, layer)
}

// Drop implements Engine.
func (f *Files) Drop(ctx context.Context, v id.Volume, layer int) error {
	s, err := f.Seen(ctx, v)
	if err != nil {
		return err
	}
	for _, l := range s.Under(layer) {
		if l.Number == layer {
			return errors.Join(os.Remove(l.Path), durable.SyncDir(f.folder(v)))
		}
	}
	return nil
}

// Remove implements Engine.
func (f *Files) Remove(_ context.Context, v id.Volume) error {
	if !id.Valid[id.Volume](string(v)) {
		return Missing
	}
	gone := f.folder(v) + goneEnd
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	if err := os.Rename(f.folder(v), gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	crash.Here("blockstore.volume.removing")
	return errors.Join(os.RemoveAll(f.folder(v)+draftEnd), os.RemoveAll(gone), durable.SyncDir(f.Dir))
}

// syncFile makes bytes that another process wrote outlive a loss of power.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// qemuImg runs qemu-img to its end; its output goes to out.
func qemuImg(ctx context.Context, out *bytes.Buffer, args ...string) error {
	cmd := exec.CommandContext(ctx, "qemu-img", args...)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(trouble.String())
		if strings.Contains(text, "lock") {
			return Served.Because(fmt.Errorf("qemu-img %s: %s", args[0], text))
		}
		return fmt.Errorf("qemu-img %s: %w: %s", args[0], err, text)
	}
	return nil
}
