package ec2

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// arn names a resource of an account: arn:aws:ec2:us-east-1:123456789012:volume/vol-...
// Those of images and snapshots, which may be shared, name no account.
func (api *API) arn(account, kind, resource string) string {
	if kind == "image" || kind == "snapshot" {
		account = ""
	}
	return "arn:aws:ec2:" + api.Region + ":" + account + ":" + kind + "/" + resource
}

// on returns an On that looks into the store: find names the resources that
// the request uses, or fails with the fault of one that is not there, having
// named it. What is tagged as it is made needs a right of its own.
func on[In any](find func(tx *store.Tx, u *uses, in *In) error) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	name := strings.TrimSuffix(reflect.TypeFor[In]().Name(), "Input")
	return func(ctx context.Context, api *API, who action.Caller, in *In) ([]action.Resource, error) {
		var all []action.Resource
		err := api.Store.View(ctx, func(tx *store.Tx) error {
			u := &uses{api: api, who: who, tx: tx, action: name, keyed: keyed(who)}
			if u.keyed {
				var err error
				if u.tags, err = tx.TagsOf(who.Account); err != nil {
					return err
				}
			}
			err := find(tx, u, in)
			if f := reflect.ValueOf(in).Elem().FieldByName("TagSpecifications"); f.IsValid() {
				u.tagging(f.Interface().([]TagSpecification))
			}
			all = u.all
			return err
		})
		return all, err
	}
}

// keyed reports whether conditions may matter to a caller: an account's root
// has none.
func keyed(who action.Caller) bool {
	return who.Rights != nil && (!who.Rights.Policies.All || len(who.Rights.Policies.Account)+len(who.Rights.Policies.Session) > 0)
}

// uses collects the resources of one request.
type uses struct {
	api    *API
	who    action.Caller
	tx     *store.Tx
	action string
	keyed  bool
	tags   store.Tags
	all    []action.Resource
}

// add notes a resource of the caller's account, whether it is there or not.
func (u *uses) add(kind, name string) {
	r := action.Resource{ARN: u.api.arn(u.who.Account, kind, name), Owner: u.who.Account}
	if u.keyed {
		r.Tags = tagMap(u.tags[name])
		r.Keys = u.keysOf(kind, name)
	}
	u.all = append(u.all, r)
}

// fresh notes that the request makes resources of a kind; keys are what it
// says of them.
func (u *uses) fresh(kind string, keys ...map[string][]string) {
	r := action.Resource{ARN: u.api.arn(u.who.Account, kind, "*"), Owner: u.who.Account}
	if len(keys) > 0 && u.keyed {
		r.Keys = keys[0]
	}
	u.all = append(u.all, r)
}

// tagging notes that what the request makes is tagged.
func (u *uses) tagging(specs []TagSpecification) {
	var kinds []string
	for _, s := range specs {
		if len(s.Tags) > 0 && !slices.Contains(kinds, val(s.ResourceType)) {
			kinds = append(kinds, val(s.ResourceType))
		}
	}
	for _, kind := range kinds {
		u.all = append(u.all, action.Resource{
			ARN: u.api.arn(u.who.Account, kind, "*"), Owner: u.who.Account, Permission: "ec2:CreateTags",
			Keys: map[string][]string{"ec2:CreateAction": {u.action}},
		})
	}
}

// attribute notes, on all that was collected, which attributes are changed.
func (u *uses) attribute(names ...string) {
	for i := range u.all {
		if u.all[i].Keys == nil {
			u.all[i].Keys = map[string][]string{}
		}
		u.all[i].Keys["ec2:Attribute"] = names
	}
}

// note is add for what a look-up that ended in err was for: what is not there
// is named too, so that only who might use it is told that it is not.
func (u *uses) note(err error, kind, name string) error {
	if err == nil || fault.KindOf(err) == fault.Missing {
		u.add(kind, name)
	}
	return err
}

// addKey notes a key pair, which is called by its name.
func (u *uses) addKey(k *store.Key, err error) error {
	if err != nil {
		return err
	}
	u.add("key-pair", k.Name)
	if u.keyed {
		u.all[len(u.all)-1].Tags = tagMap(u.tags[string(k.ID)])
	}
	return nil
}

// addName notes a key pair that the request makes.
func (u *uses) addName(kind, name string) {
	u.all = append(u.all, action.Resource{ARN: u.api.arn(u.who.Account, kind, name), Owner: u.who.Account})
}
