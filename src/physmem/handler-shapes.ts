/**
 * What most handlers begin with: find the object behind the invoked capability, refuse when it is dead, dying or locked
 * by somebody else, decode the range in words 0 and 1.
 */
import type { Operation, RpcReply, RpcRequest } from '../abi/server.ts';
import { lockFault } from './actor.ts';
import type { Control } from './control.ts';
import { refuse } from './reply.ts';
import { findContainer, findControl, isRefusal, type NamedContainer, rangeFault } from './request.ts';
import type { Store } from './store.ts';

export type Handler = (store: Store, request: RpcRequest) => RpcReply | Operation;

export const PAGE_SHIFT = 12;

/** Handler for a live control. */
export const onControl =
  (work: (store: Store, control: Control, request: RpcRequest) => RpcReply | Operation): Handler =>
  (store, request) => {
    const control = findControl(store, request.target);
    return isRefusal(control) ? refuse(control) : work(store, control, request);
  };

/** Handler for a live container, named directly or by a limited capability. */
export const onContainer =
  (work: (store: Store, named: NamedContainer, request: RpcRequest) => RpcReply | Operation): Handler =>
  (store, request) => {
    const named = findContainer(store, request.target, request.task, 0);
    return isRefusal(named) ? refuse(named) : work(store, named, request);
  };

/** The same, for work that only the holder of a lock may do while there is one. */
export const onUnlocked = (
  work: (store: Store, named: NamedContainer, request: RpcRequest) => RpcReply | Operation,
): Handler =>
  onContainer((store, named, request) => {
    const fault = lockFault(store, named.container, named.actor);
    return fault !== null ? refuse(fault) : work(store, named, request);
  });

/** Handler for a range of a container given by words 0 and 1. */
export const onRange = (
  work: (
    store: Store,
    named: NamedContainer,
    page: number,
    pages: number,
    request: RpcRequest,
  ) => RpcReply | Operation,
): Handler =>
  onUnlocked((store, named, request) => {
    const fault = rangeFault(request, 0, 1);
    if (fault !== null) return refuse(fault);
    return work(store, named, request.words[0]! >>> PAGE_SHIFT, request.words[1]! / 4096, request);
  });
