package daemon

import (
	"maps"
	"net/http"
	"slices"

	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
	"karri/walrus/index"
)

// keeper is what the administrator sees and sets of all buckets, through
// cloudctl.
type keeper struct{ x index.Index }

func (k keeper) serve(in *rest.Internal) {
	only := rest.Roles(pki.Cloudctl)
	in.Handle(http.MethodGet, bucket.BucketsPath, only, k.buckets)
	in.Handle(http.MethodPut, bucket.BucketsPath+"/{bucket}/quota", only, k.setQuota)
	in.Handle(http.MethodGet, bucket.AccountsPath+"/{account}/quota", only, k.share)
	in.Handle(http.MethodPut, bucket.AccountsPath+"/{account}/quota", only, k.setShare)
}

func amount(u index.Usage) bucket.Amount {
	return bucket.Amount{Objects: u.Objects, Bytes: u.Bytes, Buckets: u.Buckets}
}

func usage(r *http.Request) (index.Usage, error) {
	var a bucket.Amount
	if err := rest.Read(r, &a); err != nil {
		return index.Usage{}, err
	}
	if min(a.Objects, a.Bytes, a.Buckets) < bucket.Nothing {
		return index.Usage{}, fault.New(fault.Invalid, "InvalidArgument", "A quota is not negative; 0 is none.")
	}
	return index.Usage{Objects: a.Objects, Bytes: a.Bytes, Buckets: a.Buckets}, nil
}

func (k keeper) buckets(w http.ResponseWriter, r *http.Request) error {
	account, name := r.URL.Query().Get("account"), r.URL.Query().Get("name")
	all := []bucket.Held{}
	add := func(b *index.Bucket) error {
		used, err := k.x.Usage(r.Context(), b.Name)
		if fault.KindOf(err) == fault.Missing && err != nil {
			return nil // it went while we looked
		}
		all = append(all, bucket.Held{Name: b.Name, Owner: b.Owner, Created: b.Created, Versioning: b.Versioning,
			Settings: slices.Sorted(maps.Keys(b.Settings)), Used: amount(used), Quota: amount(b.Quota)})
		return err
	}
	if name != "" {
		b, err := k.x.Bucket(r.Context(), name)
		if err == nil && account != "" && b.Owner != account {
			err = index.NoSuchBucket
		}
		if err == nil {
			err = add(b)
		}
		if err != nil {
			return err
		}
		return rest.JSON(w, all)
	}
	for q := (index.Query{Max: 1000}); ; {
		page, err := k.x.BucketsOf(r.Context(), account, q)
		if err != nil {
			return err
		}
		for _, b := range page.Items {
			if err := add(b); err != nil {
				return err
			}
		}
		if q.After = page.Last; !page.More {
			return rest.JSON(w, all)
		}
	}
}

func (k keeper) setQuota(w http.ResponseWriter, r *http.Request) error {
	u, err := usage(r)
	if err != nil {
		return err
	}
	_, err = k.x.UpdateBucket(r.Context(), rest.Var(r, "bucket"), func(b *index.Bucket) error {
		b.Quota = u
		return nil
	})
	if err != nil {
		return err
	}
	return rest.JSON(w, struct{}{})
}

func (k keeper) share(w http.ResponseWriter, r *http.Request) error {
	used, quota, err := k.x.Account(r.Context(), rest.Var(r, "account"))
	if err != nil {
		return err
	}
	return rest.JSON(w, bucket.Share{Used: amount(used), Quota: amount(quota)})
}

func (k keeper) setShare(w http.ResponseWriter, r *http.Request) error {
	u, err := usage(r)
	if err != nil {
		return err
	}
	if rest.Var(r, "account") == bucket.SystemAccount {
		return fault.New(fault.Invalid, "InvalidArgument", "The cloud's own account has no bounds: images and snapshots would fail.")
	}
	if err := k.x.SetQuota(r.Context(), rest.Var(r, "account"), u); err != nil {
		return err
	}
	return rest.JSON(w, struct{}{})
}
