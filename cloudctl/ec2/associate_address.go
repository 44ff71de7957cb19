package ec2

import (
	"context"
	"slices"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// AssociateAddressInput names an address, and an instance or an interface.
type AssociateAddressInput struct {
	AllocationId       *string
	AllowReassociation *bool // false: refuse when the address or the interface has another already
	InstanceId         *string
	NetworkInterfaceId *string
	PrivateIpAddress   *string
	PublicIp           *string
}

// AssociateAddressOutput names the association.
type AssociateAddressOutput struct{ AssociationId string }

var _ = action.Add(Catalog, action.Def[*API, AssociateAddressInput, AssociateAddressOutput]{
	Name:    "AssociateAddress",
	Doc:     "Lets a public address lead to an instance; the one that it was lent goes back.",
	Example: AssociateAddressInput{AllocationId: ptr("eipalloc-1a2b3c4d5e6f70819"), InstanceId: ptr("i-1a2b3c4d5e6f70819")},
	On: on(func(tx *store.Tx, u *uses, in *AssociateAddressInput) error {
		a, err := allocated(tx, u.who.Account, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		u.add("elastic-ip", string(a.Allocation))
		e, err := target(tx, u.who.Account, in)
		if err != nil {
			return err
		}
		u.add("network-interface", string(e.ID))
		if e.Instance != "" {
			u.add("instance", string(e.Instance))
		}
		return nil
	}),
	Run: associateAddress,
})

// associateAddress is idempotent: asked again it answers the same association.
func associateAddress(ctx context.Context, api *API, who action.Caller, in *AssociateAddressInput) (*AssociateAddressOutput, error) {
	out := &AssociateAddressOutput{}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := allocated(tx, who.Account, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		e, err := target(tx, who.Account, in)
		if err != nil {
			return err
		}
		if a.Interface != e.ID {
			if err := api.associate(tx, a, e, in.AllowReassociation == nil || *in.AllowReassociation); err != nil {
				return err
			}
		}
		out.AssociationId = string(a.Association)
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return out, nil
}

// associate gives an address to an interface in place of the one that it has.
func (api *API) associate(tx *store.Tx, a *store.Address, e *store.Interface, move bool) error {
	if a.Interface != "" && !move {
		return fault.New(fault.Conflict, "Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", a.Allocation, a.Association)
	}
	old, err := tx.AddressOn(e.ID)
	if err != nil {
		return err
	}
	switch {
	case old == nil:
	case old.Auto:
		if err := tx.Drop(old); err != nil {
			return err
		}
	case !move:
		return fault.New(fault.Conflict, "Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", e.ID, old.Association)
	default:
		old.Interface, old.Association = "", ""
		if err := tx.Put(old); err != nil {
			return err
		}
	}
	gateways, err := tx.GatewaysOf(e.Account)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(gateways, func(g store.Gateway) bool { return g.VPC == e.VPC }) {
		return fault.New(fault.Conflict, "Gateway.NotAttached", "Network %s is not attached to any internet gateway", e.VPC)
	}
	a.Interface, a.Association = e.ID, id.New[id.Association](api.Rand)
	return tx.Put(a)
}

// target finds the interface that an address shall lead to.
func target(tx *store.Tx, account string, in *AssociateAddressInput) (*store.Interface, error) {
	var e *store.Interface
	switch {
	case val(in.InstanceId) != "" && val(in.NetworkInterfaceId) != "":
		return nil, combination("You may specify instance id or network interface id, but not both in the same call")
	case val(in.NetworkInterfaceId) != "":
		name, err := parse[id.Interface](*in.NetworkInterfaceId)
		if err != nil {
			return nil, err
		}
		if e, err = tx.Interface(account, name); err != nil {
			return nil, err
		}
	case val(in.InstanceId) != "":
		name, err := parse[id.Instance](*in.InstanceId)
		if err != nil {
			return nil, err
		}
		if e, err = onlyInterface(tx, account, name); err != nil {
			return nil, err
		}
	default:
		return nil, fault.New(fault.Invalid, "MissingParameter", "Either instance ID or network interface id must be specified")
	}
	if p := val(in.PrivateIpAddress); p != "" && p != e.Address {
		return nil, invalid("Value (%s) for parameter privateIpAddress is invalid. It is not an address of %s.", p, e.ID)
	}
	return e, nil
}

// onlyInterface returns the first interface of an instance that is not ending.
func onlyInterface(tx *store.Tx, account string, instance id.Instance) (*store.Interface, error) {
	i, err := tx.Instance(account, instance)
	if err != nil {
		return nil, err
	}
	enis, err := tx.InterfacesOn(i.ID)
	if err != nil {
		return nil, err
	}
	if i.Want == wire.Gone || len(enis) == 0 {
		return nil, fault.New(fault.Conflict, "IncorrectInstanceState", "The instance '%s' is ending and cannot get an address.", i.ID)
	}
	return &enis[0], nil
}
