import { Dialog } from 'radix-ui';
import { Form } from '../form/form.tsx';
import { Labelled } from '../form/labelled.tsx';
import { VIEW_NAME_LENGTH } from './saved-views.ts';

/** What a view is called. */
export const SaveViewForm = ({ onSave }: { readonly onSave: (name: string) => void }) => (
  <Form className="grid gap-3" onSubmit={(fields) => fields.text('name') !== '' && onSave(fields.text('name'))}>
    <Labelled text="Name">
      <input name="name" required maxLength={VIEW_NAME_LENGTH} className="field w-full text-ink text-sm" placeholder="What blocks us" />
    </Labelled>
    <p className="text-soft text-xs">It stands in the navigation and in “Go to…”, in this browser.</p>
    <div className="flex justify-end gap-2">
      <Dialog.Close className="button">Cancel</Dialog.Close>
      <button type="submit" className="button button-main">
        Save
      </button>
    </div>
  </Form>
);
