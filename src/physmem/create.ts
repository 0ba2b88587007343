/** Making containers (physmem.md §4 create). */
import { PhysmemEv } from '../abi/events.ts';
import type { Control } from './control.ts';
import type { Store } from './store.ts';

/** Makes an empty container; the caller has checked the quota. Returns its index. */
export function createContainer(store: Store, control: Control): number {
  const container = store.containers.create();
  container.state = 'live';
  container.control = control.index;
  container.tree = store.trees.create();
  container.next = control.firstContainer;
  if (container.next !== 0) store.containers.at(container.next).prev = container.index;
  control.firstContainer = container.index;
  control.objects += 1;
  store.port.emit(PhysmemEv.ContainerCreate, container.index, control.index, 0, 0);
  return container.index;
}
