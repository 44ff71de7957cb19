package indextest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"karri/shared/fault"
	"karri/walrus/index"
)

// outcomes does something from many sides at once and counts how it ended; ""
// is success.
func outcomes(n int, do func(i int) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	ends := map[string]int{}
	for i := range n {
		all.Go(func() {
			err := do(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ends[""]++
			} else {
				ends[fault.CodeOf(err)]++
			}
		})
	}
	all.Wait()
	return ends
}

// completions race for the end of uploads: each ends once, by completion or by
// abort, and of those that want a key to themselves one gets it.
func completions(t *testing.T, x index.Index) {
	ctx := context.Background()
	makeBucket(t, x, "b", "ann")
	for round := range 5 {
		key := fmt.Sprint("k", round)
		var uploads []*index.Upload
		var parts []index.Part
		for i := range 3 {
			u := upload(t, x, "b", key, fmt.Sprintf("up%d-%d", round, i))
			p := part(1, "data")
			must(t, x.PutPart(ctx, u, p))
			uploads, parts = append(uploads, u), append(parts, p)
		}
		ends := outcomes(12, func(i int) error {
			u, p := uploads[i%3], parts[i%3]
			o := Object("b", key, "")
			o.Pieces, o.Upload = []index.Piece{p.Piece}, u.ID
			return x.Complete(ctx, u, []index.Part{p}, o, index.Condition{IfNoneMatch: true})
		})
		if ends[""] != 1 || ends["PreconditionFailed"]+ends["NoSuchUpload"] != 11 {
			t.Errorf("completions ended: %v", ends)
		}
		ends = outcomes(9, func(i int) error {
			if i%2 == 0 {
				return x.Abort(ctx, "b", key, uploads[i%3].ID)
			}
			return x.PutPart(ctx, uploads[i%3], part(i, "late"))
		})
		if ends[""] < 2 || ends[""]+ends["NoSuchUpload"] != 9 {
			t.Errorf("aborts and parts ended: %v", ends)
		}
	}
}

// contended keys are put, deleted and copied from many sides; Verify has the
// last word.
func contended(t *testing.T, x index.Index) {
	ctx := context.Background()
	makeBucket(t, x, "b", "ann")
	for _, state := range []string{"", index.Enabled, index.Suspended} {
		if state != "" {
			versioning(t, x, "b", state)
		}
		ends := outcomes(60, func(i int) error {
			key, other := fmt.Sprint("k", i%3), fmt.Sprint("k", (i+1)%3)
			switch i % 4 {
			case 0:
				_, err := x.Delete(ctx, "b", key, "", index.Condition{})
				return err
			case 1:
				from, err := x.Object(ctx, "b", other, "")
				if err != nil || from.Marker {
					return nil
				}
				o := Object("b", key, "")
				o.Pieces, o.Size = from.Pieces, from.Size
				return x.Put(ctx, o, index.Condition{Pin: &index.Pin{Bucket: "b", Key: other, Version: from.Version, ID: from.ID}})
			case 2:
				from, err := x.Object(ctx, "b", key, "")
				if err == nil {
					_, err = x.Delete(ctx, "b", key, from.Version, index.Condition{})
				}
				return err
			}
			return x.Put(ctx, Object("b", key, "data"), index.Condition{})
		})
		if ends[""]+ends["OperationAborted"]+ends["NoSuchKey"] != 60 {
			t.Errorf("versioning %q: ended %v", state, ends)
		}
	}
}

// folders come and go on many sides while they are listed: who has put an
// object finds its folder, who has ended the last finds it gone, and nobody
// ever misses what stays.
func folders(t *testing.T, x index.Index) {
	makeBucket(t, x, "b", "ann")
	must(t, x.Put(context.Background(), Object("b", "stays/z", "data"), index.Condition{}))
	errs := make(chan error, 16)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { errs <- comeAndGo(x, i) })
		all.Go(func() {
			var err error
			for range 60 {
				err = cmp.Or(err, finds(x, "stays/", true))
			}
			errs <- err
		})
	}
	all.Wait()
	for range 16 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// comeAndGo makes and ends a folder over and over, and an object before the one
// by which the folder of all is known.
func comeAndGo(x index.Index, i int) error {
	ctx := context.Background()
	folder, beside := fmt.Sprintf("%d/", i), fmt.Sprintf("stays/%d", i)
	for round := range 12 {
		for _, key := range []string{folder + "b", folder + "a", beside} {
			if err := cmp.Or(x.Put(ctx, Object("b", key, "data"), index.Condition{}), finds(x, folder, true)); err != nil {
				return err
			}
		}
		gone := []string{folder + "a", folder + "b", beside}
		if round%2 > 0 {
			gone[0], gone[1] = gone[1], gone[0]
		}
		for n, key := range gone {
			if _, err := x.Delete(ctx, "b", key, "", index.Condition{}); err != nil {
				return err
			}
			if err := finds(x, folder, n == 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// finds holds two listings against what is there.
func finds(x index.Index, folder string, there bool) error {
	for _, prefix := range []string{"", folder[:1]} {
		page, err := x.List(context.Background(), "b", index.Query{Prefix: prefix, Delimiter: "/", Max: 1000})
		switch {
		case err != nil:
			return err
		case slices.Contains(page.Prefixes, folder) != there:
			return fmt.Errorf("%s is there: %v, but %q lists %q", folder, there, prefix, page.Prefixes)
		case prefix == "" && !slices.Contains(page.Prefixes, "stays/"):
			return fmt.Errorf("stays/ is missing in %q", page.Prefixes)
		}
	}
	return nil
}
