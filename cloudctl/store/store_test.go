package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	err = s.InTx(t.Context(), func(tx *Tx) error {
		for _, a := range []string{"000000000001", "000000000002"} {
			if err := tx.Add(&Account{ID: a, Name: "n" + a, State: AccountActive, Created: now}); err != nil {
				return err
			}
		}
		return tx.Add(&VPC{ID: "vpc-1", Account: "000000000001", CIDR: "172.31.0.0/16", VNI: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var now = time.Date(2026, 11, 21, 9, 0, 0, 5000, time.UTC)

// filled returns a record of each kind with no field left at its zero.
func filled() []Record {
	var all []Record
	for _, r := range []Record{
		&Account{}, &AccessKey{}, &Key{}, &Image{}, &Instance{}, &ClientToken{}, &VPC{}, &Subnet{}, &Gateway{},
		&RouteTable{}, &RouteAssociation{}, &Group{}, &Rule{}, &Interface{}, &Address{}, &Volume{}, &Attachment{},
		&Snapshot{}, &Tag{}, &Component{}, &JoinToken{}, &Generation{},
	} {
		fill(reflect.ValueOf(r).Elem())
		all = append(all, r)
	}
	return all
}

func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(now))
			continue
		}
		switch f.Kind() {
		case reflect.String:
			f.SetString(map[string]string{"Account": "000000000001", "VPC": "vpc-1", "Want": "present"}[v.Type().Field(i).Name])
			if f.Len() == 0 {
				f.SetString("x")
			}
		case reflect.Int:
			f.SetInt(7)
		case reflect.Int64:
			f.SetInt(1 << 40)
		case reflect.Uint32, reflect.Uint64:
			f.SetUint(9)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
			if f.Index(0).Kind() == reflect.Struct {
				fill(f.Index(0))
			} else if f.Index(0).Kind() == reflect.Uint8 {
				f.Index(0).SetUint(255)
			} else {
				f.Index(0).SetString("x")
			}
		case reflect.Struct:
			fill(f)
		}
	}
}

func TestEveryRecordComesBackAsItWasPut(t *testing.T) {
	s := open(t)
	for _, r := range filled() {
		for range 2 { // new, then changed
			if err := s.InTx(t.Context(), func(tx *Tx) error { return tx.Put(r) }); err != nil {
				t.Fatalf("%T: %v", r, err)
			}
		}
		back := reflect.New(reflect.TypeOf(r).Elem())
		err := s.View(t.Context(), func(tx *Tx) error { return tx.g.Where(r).Take(back.Interface()).Error })
		if err != nil || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", r) {
			t.Errorf("%T: got %+v, want %+v, %v", r, back.Elem(), r, err)
		}
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	s := open(t)
	trouble := errors.New("trouble")
	err := s.InTx(t.Context(), func(tx *Tx) error {
		if err := tx.Add(&Key{ID: "key-1", Account: "000000000001", Name: "k"}); err != nil {
			return err
		}
		return trouble
	})
	if !errors.Is(err, trouble) {
		t.Fatal(err)
	}
	look(t, s, func(tx *Tx) error {
		keys, err := tx.KeysOf(AnyAccount)
		if len(keys) != 0 {
			t.Errorf("left: %v", keys)
		}
		return err
	})
}

func look(t *testing.T, s *Store, do func(*Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), do); err != nil {
		t.Error(err)
	}
}

func TestANameIsTakenOnceInAnAccount(t *testing.T) {
	s := open(t)
	add := func(key id.Key, account string) error {
		return s.InTx(t.Context(), func(tx *Tx) error { return tx.Add(&Key{ID: key, Account: account, Name: "k"}) })
	}
	if err := errors.Join(add("key-1", "000000000001"), add("key-2", "000000000002")); err != nil {
		t.Fatal(err)
	}
	if err := add("key-3", "000000000001"); !Taken(err) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherAccountSeesNothing(t *testing.T) {
	s := open(t)
	err := s.InTx(t.Context(), func(tx *Tx) error {
		return tx.Add(&Volume{ID: "vol-1", Account: "000000000001", Want: wire.Present})
	})
	if err != nil {
		t.Fatal(err)
	}
	look(t, s, func(tx *Tx) error {
		if _, err := tx.Volume("000000000002", "vol-1"); fault.CodeOf(err) != "InvalidVolume.NotFound" {
			t.Errorf("got %v", err)
		}
		if rows, err := tx.VolumesOf("000000000002"); len(rows) != 0 || err != nil {
			t.Errorf("got %v, %v", rows, err)
		}
		_, err := tx.Volume(AnyAccount, "vol-1")
		return err
	})
}

func TestWhatIsCommittedIsThereAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	for n := range 2 {
		s, err := Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		err = s.InTx(t.Context(), func(tx *Tx) error {
			rows, err := tx.Accounts()
			if len(rows) != n {
				t.Errorf("%d accounts at opening %d", len(rows), n)
			}
			return errors.Join(err, tx.Put(&Account{ID: "000000000001", Name: "a", State: AccountActive}))
		})
		if err != nil {
			t.Error(err)
		}
		s.Close()
	}
}

// Whoever adds a table of what accounts own must say what becomes of it when
// the account goes.
func TestNothingOutlivesItsAccount(t *testing.T) {
	s := open(t)
	err := s.View(t.Context(), func(tx *Tx) error {
		var tables []string
		err := tx.g.Raw(`SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'account' WHERE m.type = 'table' ORDER BY 1`).Scan(&tables).Error
		for _, table := range tables {
			held := slices.ContainsFunc(holdings, func(h struct{ table, what, where string }) bool { return h.table == table })
			if !held && !slices.Contains(rest, table) {
				t.Errorf("%s is neither among holdings nor among rest", table)
			}
		}
		if len(tables) < 20 {
			t.Errorf("only %v have accounts", tables)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
