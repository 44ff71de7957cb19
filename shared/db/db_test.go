package db

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gorm.io/gorm"
)

type thing struct {
	ID    string `gorm:"primaryKey"`
	Name  string
	Owner *string
	Made  time.Time
}

const schema = `CREATE TABLE owners (id TEXT PRIMARY KEY);
CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT REFERENCES owners(id), made DATETIME NOT NULL);`

func files(sqls ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i, s := range sqls {
		m["000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(s)}
	}
	return m
}

func open(t *testing.T, path string, m fstest.MapFS) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestErrorsAreTranslated(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "a b?.db"), files(schema))
	put := func(id, name string, owner *string) error {
		return d.Transact(t.Context(), func(tx *gorm.DB) error {
			return tx.Create(&thing{ID: id, Name: name, Owner: owner, Made: time.Now()}).Error
		})
	}
	nobody := "nobody"
	if err := put("1", "one", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("1", "two", nil); !errors.Is(err, ErrExists) {
		t.Errorf("same key: %v", err)
	}
	if err := put("2", "one", nil); !errors.Is(err, ErrExists) {
		t.Errorf("same name: %v", err)
	}
	if err := put("3", "three", &nobody); !errors.Is(err, ErrReferenced) {
		t.Errorf("no such owner: %v", err)
	}
	var got thing
	if err := d.Read(t.Context(), func(tx *gorm.DB) error { return tx.Where("id = ?", "9").Take(&got).Error }); !errors.Is(err, ErrMissing) {
		t.Errorf("missing row: %v", err)
	}
	if err := d.Read(t.Context(), func(tx *gorm.DB) error { return tx.Create(&thing{ID: "7", Name: "7"}).Error }); err == nil {
		t.Error("a write through Read was accepted")
	}
	if err := d.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTimesComeBackAndAFailureRollsBack(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "x.db"), files(schema))
	made := time.Date(2026, 5, 4, 3, 2, 1, 123456789, time.UTC)
	boom := errors.New("boom")
	err := d.Transact(t.Context(), func(tx *gorm.DB) error {
		if err := tx.Create(&thing{ID: "1", Name: "n", Made: made}).Error; err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	count := func() (n int64) {
		_ = d.Read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&thing{}).Count(&n).Error })
		return n
	}
	if n := count(); n != 0 {
		t.Fatalf("%d rows survived the roll-back", n)
	}
	var got thing
	err = d.Transact(t.Context(), func(tx *gorm.DB) error {
		return tx.Create(&thing{ID: "1", Name: "n", Made: made}).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(tx *gorm.DB) error { return tx.Take(&got).Error }); err != nil || !got.Made.Equal(made) {
		t.Errorf("time came back as %v, %v", got.Made, err)
	}
}

// A count and an insert in one transaction hold under a race: that is what
// quotas rely on.
func TestRacingCountsNeverPassALimit(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "x.db"), files(schema))
	const limit = 5
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_ = d.Transact(context.Background(), func(tx *gorm.DB) error {
				var n int64
				if err := tx.Model(&thing{}).Count(&n).Error; err != nil {
					return err
				}
				if n >= limit {
					return errors.New("full")
				}
				s := string(rune('a' + i))
				return tx.Create(&thing{ID: s, Name: s}).Error
			})
		})
	}
	wg.Wait()
	var n int64
	if err := d.Read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&thing{}).Count(&n).Error }); err != nil || n != limit {
		t.Errorf("%d rows, want %d (%v)", n, limit, err)
	}
}

func TestMigrationsOnlyGoForward(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	more := "CREATE TABLE more (id TEXT PRIMARY KEY);"
	d, err := Open(t.Context(), path, files(schema))
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	d, err = Open(t.Context(), path, files(schema, more))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Transact(t.Context(), func(tx *gorm.DB) error { return tx.Exec("INSERT INTO more VALUES ('x')").Error }); err != nil {
		t.Errorf("second migration: %v", err)
	}
	d.Close()
	for _, c := range []struct {
		m    fstest.MapFS
		want string
	}{
		{files(schema), "newer program"},
		{files(schema, more+" -- changed"), "changed"},
		{fstest.MapFS{"0002_x.sql": {Data: []byte(more)}}, "newer program"},
		{files(schema, more, "CREATE TABLE broken ("), "0003_step.sql"},
	} {
		if d, err := Open(t.Context(), path, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
			if err == nil {
				d.Close()
			}
		}
	}
}

// A command may open the database in the moment in which the daemon makes it.
func TestADatabaseThatTwoOpenForTheFirstTimeIsMadeOnce(t *testing.T) {
	m := files("CREATE TABLE a (n INTEGER)", "CREATE TABLE b (n INTEGER)", "CREATE TABLE c (n INTEGER)")
	for range 5 {
		path := filepath.Join(t.TempDir(), "x.db")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				d, err := Open(t.Context(), path, m)
				if err != nil {
					t.Error(err)
					return
				}
				d.Close()
			})
		}
		all.Wait()
	}
}
