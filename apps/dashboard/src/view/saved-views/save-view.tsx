import { useState } from 'react';
import { FormDialog } from '../form/form-dialog.tsx';
import { lazyPart } from '../lazy-page.tsx';

const SaveViewForm = lazyPart(async () => (await import('./save-view-form.tsx')).SaveViewForm);

/** Names what the page shows now, to come back to it. */
export function SaveView({ onSave }: { readonly onSave: (name: string) => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <FormDialog
      open="Save view"
      title="Save this view"
      description="Keeps what this page is narrowed to under a name, in this browser."
      place="top-24 w-[24rem]"
      look="button shrink-0 self-center whitespace-nowrap px-2 py-0.5 text-xs"
      isOpen={isOpen}
      onOpenChange={setOpen}
    >
      <SaveViewForm
        onSave={(name) => {
          setOpen(false);
          onSave(name);
        }}
      />
    </FormDialog>
  );
}
